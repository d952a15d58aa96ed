"""What a server of one's own can be told."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct


class ServerSettings(Struct, frozen=True, kw_only=True, rename="kebab", forbid_unknown_fields=True):
    """Settings of a server that a case needs for itself; what is ``None`` keeps its default."""

    emulate: str | None = None
    """dialect of the admin protocol, ``0.8``"""
    hangup_on_app_loss: bool | None = None
    frame_limit: int | None = None
    """octets"""
    frame_limit_before_authentication: int | None = None
    incomplete_frame_timeout: float | None = None
    """seconds"""
    incomplete_frame_timeout_before_authentication: float | None = None
    cdrs: bool | None = None
    """send call detail records; set by the runner for cases that require ``cdrs``"""
    external_ip: str | None = None
    outbound_proxy: str | None = None
    """a SIP URI"""
    aggressive_nat_detection: bool | None = None
    disable_nat_detection: bool | None = None
    open_relay: bool | None = None
    ipv6: bool | None = None
    """listen on ::1, too; set by the runner for cases that require ``ipv6``"""
    tls: bool | None = None
    """listen for SIP by TLS, too; set by the runner for cases that require ``tls``, and so are the next three"""
    ws: bool | None = None
    wss: bool | None = None
    admin_tls: bool | None = None
    """await applications by TLS, too"""
    t1: float | None = None
    t2: float | None = None
    t4: float | None = None
    t1x64: float | None = None
    request_handler: Literal["GET", "POST", "tcp", "tls"] | None = None
    """the case plays the callback that is asked, by that method of HTTP, or the application that is connected to"""
    handled_method: str | None = None
    """the SIP method of the requests that the handler is for; all without it"""
    spam_user_agent: str | None = None
    """a text in a User-Agent by which spammers are known"""
    spam_contact: str | None = None
    """the same of the user of a Contact"""
    spam_action: str | None = None
    """``reject`` or ``discard``"""
    spam_tcp_action: str | None = None
    reject_register_with_no_realm: bool | None = None
    user_agent_options_auto_respond: str | None = None
    always_send_180: bool | None = None
    udp_mtu: int | None = None
    """octets"""
    default_refresher: str | None = None
    """``uac`` or ``uas``"""
    fault: str | None = None
    """harm done on purpose to what applications get: ``close=7``"""
    failed_authentications: int | None = None
    """after so many failures of an address its next attempts wait"""
    waiting_authentications: int | None = None
    """attempts of an address that may wait"""
    routes_per_application: int | None = None
    tags_per_application: int | None = None
    requests_per_application: int | None = None
    """that wait for its answer, before it gets no more"""
    dialogs: int | None = None
    """of all applications"""
    lint: bool | None = None
    """say what applications do that is merely tolerated"""
