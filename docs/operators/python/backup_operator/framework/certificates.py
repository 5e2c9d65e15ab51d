"""The certificate of the webhook server, which all replicas share through a Secret."""

import base64
import datetime
import ipaddress

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from kubernetes import client
from kubernetes.client.rest import ApiException

from .log import log

AUTHORITY_DAYS = 3650
CERTIFICATE_DAYS = 90


def ensure_certificate(core, namespace, name, hosts):
    """A dict with `ca.crt`, `tls.crt` and `tls.key`, as PEM.

    Read from the Secret; made where there is none, where it lacks a host or where a third of its time is left. The authority
    stays the same for ten years, so that a new certificate needs no new caBundle.
    """
    secret = _read(core, namespace, name)
    found = {key: base64.b64decode(value) for key, value in (secret and secret.data or {}).items()}
    if _is_good(found.get("tls.crt"), found.get("tls.key"), hosts):
        return found
    made = dict(found)
    if not _is_good(made.get("ca.crt"), made.get("ca.key"), []):
        made["ca.crt"], made["ca.key"] = _make_authority()
    made["tls.crt"], made["tls.key"] = _make_certificate(made["ca.crt"], made["ca.key"], hosts)
    data = {key: base64.b64encode(value).decode() for key, value in made.items()}
    version = secret and secret.metadata.resource_version
    body = client.V1Secret(metadata=client.V1ObjectMeta(name=name, resource_version=version), data=data)
    try:
        if secret:
            core.replace_namespaced_secret(name, namespace, body)
        else:
            core.create_namespaced_secret(namespace, body)
    except ApiException as error:
        # Another replica was faster: its certificate is taken.
        if error.status == 409:
            return ensure_certificate(core, namespace, name, hosts)
        raise
    log("made a certificate", hosts=hosts, secret=f"{namespace}/{name}")
    return made


def _read(core, namespace, name):
    try:
        return core.read_namespaced_secret(name, namespace)
    except ApiException as error:
        if error.status == 404:
            return None
        raise


def _is_good(certificate_pem, key_pem, hosts):
    """Whether a certificate can be read, belongs to its key, has all hosts and more than a third of its time left."""
    try:
        certificate = x509.load_pem_x509_certificate(certificate_pem)
        key = serialization.load_pem_private_key(key_pem, None)
        lifetime = certificate.not_valid_after_utc - certificate.not_valid_before_utc
        names = _names(certificate) if hosts else []
        return (
            key.public_key() == certificate.public_key()
            and _now() < certificate.not_valid_after_utc - lifetime / 3
            and set(hosts) <= set(names)
        )
    except (TypeError, ValueError, x509.ExtensionNotFound):
        return False


def _names(certificate):
    alternatives = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return [str(name.value) for name in alternatives]


def _make_authority():
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "backup-operator-ca")])
    builder = (
        _builder(name, name, key, AUTHORITY_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(key_cert_sign=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    return _pem(builder.sign(key, hashes.SHA256()), key)


def _make_certificate(authority_pem, authority_key_pem, hosts):
    authority = x509.load_pem_x509_certificate(authority_pem)
    authority_key = serialization.load_pem_private_key(authority_key_pem, None)
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "backup-operator")])
    builder = (
        _builder(subject, authority.subject, key, CERTIFICATE_DAYS)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(digital_signature=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False)
        .add_extension(x509.SubjectAlternativeName([_general_name(host) for host in hosts]), critical=False)
    )
    return _pem(builder.sign(authority_key, hashes.SHA256()), key)


def _builder(subject, issuer, key, days):
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(_now() - datetime.timedelta(minutes=5))
        .not_valid_after(_now() + datetime.timedelta(days=days))
    )


def _key_usage(digital_signature=False, key_cert_sign=False):
    return x509.KeyUsage(digital_signature, False, False, False, False, key_cert_sign, False, False, False)


def _general_name(host):
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _pem(certificate, key):
    encoding, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    return certificate.public_bytes(encoding), key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, plain)


def _now():
    return datetime.datetime.now(datetime.timezone.utc)
