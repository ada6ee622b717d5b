# SPDX-License-Identifier: GPL-3.0-or-later
"""The offline voice of Facewire: espeak-ng with phone and word times."""

__version__ = "0.1.0"
