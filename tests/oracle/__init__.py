# SPDX-License-Identifier: LGPL-2.1-or-later
"""The rules once more, slowly and obviously: what the daemon's answers are compared with."""
