"""Why a server refuses an object, as data: field by field, without the values."""

from __future__ import annotations

from msgspec import Struct


class Cause(Struct, frozen=True, kw_only=True):
    """One cause of an Invalid answer (metav1.StatusCause).

    ``field`` is the server's spelling (``spec.containers[0].image``, "" where it names none), ``detail`` what it
    says behind the value: the value itself is not in it.
    """

    field: str
    detail: str
