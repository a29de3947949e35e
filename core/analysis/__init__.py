"""From a written stack to displacement: network, inversion, quality, corrections and velocity."""
