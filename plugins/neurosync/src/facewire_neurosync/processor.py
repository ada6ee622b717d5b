"""Which products in low precision this processor computes by itself."""

from __future__ import annotations

import platform
from functools import cache
from pathlib import Path

_NEEDED = {
    # x86: words of /proc/cpuinfo; ARM: the same file's names there
    "bf16": {"avx512_bf16", "amx_bf16", "avx_ne_convert", "bf16"},
    "int8": {"avx512_vnni", "avx_vnni", "amx_int8", "asimddp", "i8mm"},
}


@cache
def instructions() -> frozenset[str]:
    """Return those of ``bf16`` and ``int8`` that are fast here.

    Linux tells; an Apple processor has int8 products; elsewhere both are believed to be there,
    and only the speed shows it.
    """
    try:
        words = set(Path("/proc/cpuinfo").read_text("utf-8").split())
    except OSError:
        apple = platform.system() == "Darwin"
        return frozenset({"int8"} if apple else {"bf16", "int8"})
    return frozenset(name for name, any_of in _NEEDED.items() if words & any_of)
