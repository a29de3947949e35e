"""Files, locks, memory and threads of the machine that a run works on."""
