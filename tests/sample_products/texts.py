"""README and XML sidecars with the facts that readers look for, in our own words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from xml.sax.saxutils import escape

GAMMA_RELEASE = "20240627"
PLUGIN_VERSION = "9.0.5"
ISCE_VERSION = "4.1.4"


@dataclass(frozen=True)
class About:
    """Facts of one product that its text files repeat."""

    name: str
    zone: str
    spacing: int
    processed: datetime
    sources: tuple[str, ...]
    credit_year: int


def zone_name(epsg: int) -> str:
    """Return the CRS as README files name it."""
    return f"WGS 84 / UTM zone {epsg % 100}{'N' if epsg < 32700 else 'S'}"


def opening(about: About, processor: str, projected: str) -> str:
    """Return the head of a README."""
    return f"""ASF HyP3 sample product

This data was processed by ASF DAAC HyP3 {about.processed.year} using the {processor}. \
{projected} projected to {about.zone}, and the pixel spacing is {about.spacing} m.

Processing Date/Time: {about.processed.isoformat()}

The folder and all of its files are named {about.name}.
"""


def closing(about: About, software: str, plugin_doi: str) -> str:
    """Return credit and references of a README."""
    return f"""
# Credit

ASF DAAC HyP3 {about.processed.year} using {software}. Contains modified Copernicus Sentinel data \
{about.credit_year}, processed by ESA.

Documentation: https://doi.org/10.5281/zenodo.4646138
HyP3: https://doi.org/10.5281/zenodo.3962581
Plugin: https://doi.org/10.5281/zenodo.{plugin_doi}

This is a synthetic sample: its values are made from formulas, not from radar data.
"""


def gamma_insar_readme(
    about: About, filter_strength: str, masked: bool, longitude: float, latitude: float
) -> str:
    """Return the README of an INSAR_GAMMA product."""
    water = "was applied" if masked else "was not applied"
    head = opening(
        about,
        f"hyp3_gamma plugin version {PLUGIN_VERSION} running GAMMA release {GAMMA_RELEASE}",
        "Files are",
    )
    body = f"""
The scenes of the pair are:
 - Reference: {about.sources[0]}
 - Secondary: {about.sources[1]}

# Processing

The adaptive phase filter had the parameter {filter_strength}. A water mask {water} before \
unwrapping. The reference point for unwrapping is at latitude {latitude:.8f} and longitude \
{longitude:.8f}; its phase was subtracted from all others.

# Layers

unw_phase: unwrapped phase in radians, 0 where there is none
corr: coherence, 0 to 1
amp: sigma-0 backscatter of the reference scene, linear power
water_mask: 1 land, 0 water
wrapped_phase, los_disp, vert_disp, lv_theta, lv_phi, inc_map, inc_map_ell, dem: if ordered
"""
    return head + body + closing(about, "GAMMA software", "3962936")


def isce_readme(about: About, masked: bool) -> str:
    """Return the README of a product made with ISCE2."""
    water = "was applied" if masked else "was not applied"
    head = opening(
        about,
        f"hyp3_isce2 plugin version {ISCE_VERSION} running ISCE release 2.6.3",
        "Files are",
    )
    body = f"""
The bursts of the pair are:
 - Reference: {about.sources[0]}
 - Secondary: {about.sources[1]}

# Processing

The phase was filtered with the parameter 0.5 and unwrapped with SNAPHU. A water mask {water}.

# Layers

unw_phase: unwrapped phase in radians, 0 where there is none
wrapped_phase: filtered wrapped phase in radians
corr: coherence from the filtered phase, 0 to 1
conncomp: connected components of unwrapping, 0 for none
dem: ellipsoidal height in meters
lv_theta, lv_phi: elevation and azimuth of the direction to the sensor in radians
"""
    return head + body + closing(about, "ISCE2 software", "8007397")


def rtc_readme(about: About, scale: str) -> str:
    """Return the README of an RTC_GAMMA product."""
    head = opening(
        about,
        f"hyp3_gamma plugin version {PLUGIN_VERSION} running GAMMA release {GAMMA_RELEASE}",
        "They are",
    )
    body = f"""
The source granule used to generate the products contained in this folder is:
{about.sources[0]}

# Processing

Backscatter is gamma-0 in {scale} scale. The speckle filter was not applied. The DEM is the \
Copernicus GLO-30 DEM, resampled to the pixel spacing, with ellipsoidal heights.

# Layers

VV, VH: radiometrically terrain corrected backscatter
ls_map: sum of 1 (tested), 2 (look angle less than slope), 4 (layover), 8 (look angle less than \
opposite slope), 16 (shadow)
dem: height in whole meters
inc_map: local incidence angle in radians
area: scattering area in square meters
rgb: color decomposition for display
"""
    return head + body + closing(about, "GAMMA software", "3962936")


def sidecar(about: About, item: str, purpose: str, abstract: str) -> str:
    """Return the XML metadata of one file."""
    day, clock = about.processed.strftime("%Y%m%d"), about.processed.strftime("%H%M%S00")
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<metadata xml:lang="en">
  <Esri>
    <CreaDate>{day}</CreaDate>
    <CreaTime>{clock}</CreaTime>
    <ArcGISFormat>1.0</ArcGISFormat>
    <DataProperties><itemProps><itemName>{escape(item)}</itemName></itemProps></DataProperties>
  </Esri>
  <dataIdInfo>
    <idCitation>
      <resTitle>{escape(item)}</resTitle>
      <date><pubDate>{about.processed.isoformat()}</pubDate></date>
    </idCitation>
    <idPurp>{escape(purpose)}</idPurp>
    <idAbs>{escape(abstract)}</idAbs>
    <idCredit>ASF DAAC HyP3 {about.processed.year} using GAMMA software.</idCredit>
    <envirDesc>GAMMA release {GAMMA_RELEASE}, hyp3_gamma {PLUGIN_VERSION}</envirDesc>
  </dataIdInfo>
  <dqInfo><dataLineage><statement>Made from formulas.</statement></dataLineage></dqInfo>
  <mdFileID>hyp3_gamma {PLUGIN_VERSION}</mdFileID>
  <mdDateSt>{day}</mdDateSt>
</metadata>
"""
