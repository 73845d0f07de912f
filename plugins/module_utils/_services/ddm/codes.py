# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the error codes of DDM and of its database platform mean.

Sources: the appendixes "Error Codes" of the DDM and RDS API references (docs.otc.t-systems.com,
support.huaweicloud.com), and the codes on which the resources for DDM of
huaweicloud/terraform-provider-huaweicloud wait and try again.
"""

from __future__ import annotations

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.codes import Code

_NO_INSTANCE = "the instance does not exist"
_NO_BACKUP = "the backup does not exist"
_NO_PERMISSION = "the resource does not exist, or the user lacks the permission for it"
_BUSY = "another operation on the instance is under way"

CODES: dict[str, Code] = {
    **dict.fromkeys(
        [
            "DBS.200002",
            "DBS.200013",
            "DBS.200045",
            "DBS.200408",
            "DBS.200602",
            "DBS.201028",
            "DBS.280110",
            "DBS.290005",
            "DBS.290011",
        ],
        Code("not_found", _NO_INSTANCE),
    ),
    **dict.fromkeys(["DBS.201010", "DBS.201203", "DBS.280214"], Code("not_found", _NO_BACKUP)),
    **dict.fromkeys(["DBS.200543", "DBS.300400"], Code("not_found", "the job does not exist")),
    **dict.fromkeys(["DBS.200010", "DBS.200044", "DBS.201003", "DBS.280015"], Code("denied", _NO_PERMISSION)),
    **dict.fromkeys(
        ["DBS.200011", "DBS.200019", "DBS.200047", "DBS.201202", "DBS.212006", "DBS.212033"],
        Code("busy", _BUSY),
    ),
    **dict.fromkeys(["DBS.200086", "DBS.201014"], Code("busy", "the instance's state forbids this now")),
    "DBS.201205": Code("busy", "the instance is being backed up"),
    **dict.fromkeys(["DBS.280001", "DBS.300375"], Code("invalid_argument", "a parameter is not valid")),
    "DBS.300360": Code("not_restorable", "the data node's instance does not support this"),
    "DBS.300372": Code("not_restorable", "the target instance cannot be restored to"),
    "DBS.300377": Code(
        "invalid_argument",
        "the time range is not valid",
        "Restore to a time that ddm_restorable_info lists. A list of jobs begins at most 30 days ago.",
    ),
}
