"""Parameters of algorithms that read from or write to S3-compatible object stores."""

from qgis.core import QgsProcessingParameterString

from ...core.errors import StackError
from ...core.object_store.address import is_address, parse_address
from ..translation import tr

S3_ENDPOINT = "S3_ENDPOINT"
S3_PROFILE = "S3_PROFILE"


def add_remote_options(algorithm):
    """Declare S3_ENDPOINT and S3_PROFILE."""
    algorithm.add(
        QgsProcessingParameterString(S3_ENDPOINT, tr("S3 endpoint"), optional=True),
        tr(
            "Object stores only. Address of an S3-compatible service other than Amazon's, such as "
            "https://minio.example.org:9000. Empty: that of AWS_ENDPOINT_URL or of the profile, "
            "else Amazon S3."
        ),
        advanced=True,
    )
    algorithm.add(
        QgsProcessingParameterString(S3_PROFILE, tr("S3 profile"), optional=True),
        tr(
            "Object stores only. Profile in ~/.aws/credentials and ~/.aws/config with the "
            "credentials. Empty: AWS_PROFILE, or what else AWS tools use: environment variables, "
            "the default profile, the role of the machine. Credentials themselves are never given "
            "as parameters."
        ),
        advanced=True,
    )


def read_remote_options(values):
    """Return what the user gave."""
    return {S3_ENDPOINT: values.text(S3_ENDPOINT), S3_PROFILE: values.text(S3_PROFILE)}


def address_of(values, name):
    """Return the place in an object store that a parameter names, or None; raises StackError."""
    text = values.text(name)
    if text is None or not is_address(text.strip()):
        return None
    options = read_remote_options(values)
    return parse_address(text.strip(), options[S3_ENDPOINT], options[S3_PROFILE], name)


def check_address(values, name):
    """Return a sentence where a parameter names no place in an object store."""
    if not values.given(name):
        return ""
    options = read_remote_options(values)
    try:
        parse_address(values.text(name).strip(), options[S3_ENDPOINT], options[S3_PROFILE], name)
    except StackError as error:
        return str(error)
    return ""
