"""Which addresses a message may go to.

A stranger chooses the URL and we make the call, from behind our firewall: so only public addresses, looked up
once, and the connection goes to the very address that was judged.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

PRINTABLE = re.compile(r"[!-~]{1,500}")
# Names that mean this machine or this network wherever they are looked up.
LOCAL_NAMES = ("localhost", ".localhost", ".local", ".internal", ".lan", ".home.arpa")
NAT64 = ipaddress.ip_network("64:ff9b::/96")
PORTS = {"http": 80, "https": 443}


class AddressRefused(Exception):
    """Nothing was sent; `failure` is what the log of attempts says."""

    def __init__(self, failure: str) -> None:
        super().__init__(failure)
        self.failure = failure


@dataclass(frozen=True, slots=True)
class Target:
    """Where to connect (`address`, `port`), whom to ask for (`host`), and what (`path`)."""

    secure: bool
    host: str
    port: int
    path: str
    address: str = ""

    @property
    def host_header(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS["https" if self.secure else "http"] else f"{host}:{self.port}"


def read(url: str, *, private: bool) -> Target:
    """The parts of a URL, without asking DNS; with `private`, plain http and private addresses will do.

    Raises AddressRefused ("bad_url", "https_needed", "private_address").
    """
    if not PRINTABLE.fullmatch(url) or "\\" in url:
        raise AddressRefused("bad_url")
    try:
        parts = urlsplit(url)
        port = parts.port
        host = (parts.hostname or "").encode("idna").decode()
    except ValueError as error:
        raise AddressRefused("bad_url") from error
    if parts.scheme not in PORTS or not host or port == 0 or parts.fragment or "@" in parts.netloc:
        raise AddressRefused("bad_url")
    if parts.scheme == "http" and not private:
        raise AddressRefused("https_needed")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    target = Target(parts.scheme == "https", host, port or PORTS[parts.scheme], path)
    if not private:
        _refuse_local_name(host)
    return target


def _refuse_local_name(host: str) -> None:
    name = host.rstrip(".").lower()
    if name == LOCAL_NAMES[0] or name.endswith(LOCAL_NAMES[1:]):
        raise AddressRefused("private_address")
    try:
        # Every spelling of a numeric address (2130706433, 0x7f.1, 127.1) as the resolver itself reads it.
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except OSError:
        return
    if not all(is_public(ipaddress.ip_address(str(info[4][0]))) for info in found):
        raise AddressRefused("private_address")


def is_public(address: IPAddress) -> bool:
    """Whether packets to it leave for the public internet, whatever form it is written in."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        if inner is None and address in NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(inner)
        if address.is_site_local:
            return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


def resolve(url: str, *, private: bool) -> Target:
    """Look the host up once and judge every answer; the target carries the one to connect to.

    Raises AddressRefused ("bad_url", "https_needed", "unknown_host", "private_address").
    """
    target = read(url, private=private)
    try:
        found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise AddressRefused("unknown_host") from error
    addresses = [str(info[4][0]) for info in found]
    if not addresses:
        raise AddressRefused("unknown_host")
    # One private answer among public ones is a host that is about to change its mind.
    public = all(is_public(ipaddress.ip_address(address.split("%")[0])) for address in addresses)
    if not public and not private:
        raise AddressRefused("private_address")
    return Target(target.secure, target.host, target.port, target.path, addresses[0])
