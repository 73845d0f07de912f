# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Certificates for the local cloud, made anew at each start. Each bad one has exactly one flaw."""

from __future__ import annotations

import datetime
import ssl
from pathlib import Path

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

MODES = ("ca", "self-signed", "expired", "wrong-host")
ELSEWHERE = "cloud.example.com"  # A test of a proxy needs it: no proxy leads to localhost.
NAMES = ("localhost", "127.0.0.1", "::1", ELSEWHERE)


def server_context(mode: str, ca_file: Path) -> ssl.SSLContext:
    """A context for the server; the authority's certificate is written to ``ca_file`` in every mode."""
    if mode not in MODES:
        raise ValueError(f"unknown TLS mode {mode!r}: choose one of {', '.join(MODES)}")
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(ca_file))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if mode == "self-signed":
        _load_self_signed(context, ca_file.with_name("self-signed.pem"))
        return context
    names = ("elsewhere.example.com",) if mode == "wrong-host" else NAMES
    now = datetime.datetime.now(datetime.timezone.utc)
    ends = now + datetime.timedelta(days=-1 if mode == "expired" else 30)
    certificate = authority.issue_cert(*names, not_before=now - datetime.timedelta(days=60), not_after=ends)
    certificate.configure_cert(context)
    return context


def _load_self_signed(context: ssl.SSLContext, path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.timezone.utc)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    context.load_cert_chain(path)
