# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the error codes of DCS mean.

Sources: the appendix "Error Codes" of the DCS API reference (docs.otc.t-systems.com), and the codes on which
the resources for DCS of huaweicloud/terraform-provider-huaweicloud wait and try again.
"""

from __future__ import annotations

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.codes import Code

_OTHER_PROJECT = "Give the project_id of the project that the token is for, or a token for this project."

CODES: dict[str, Code] = {
    "DCS.1001": Code("auth_failed", "the token is not valid"),
    "DCS.1002": Code("auth_failed", "the token has expired"),
    "DCS.1003": Code("auth_failed", "the token is missing"),
    "DCS.1004": Code("denied", "the token is for another project", _OTHER_PROJECT),
    "DCS.2003": Code("denied", "the user's role lacks the permission"),
    "DCS.2007": Code("denied", "a policy forbids this action"),
    "DCS.3002": Code("denied", "the user's role lacks the permission"),
    "DCS.3003": Code("denied", "the account has read-only access"),
    "DCS.3022": Code("not_found", "the instance does not exist"),
    "DCS.4001": Code("wrong_endpoint", "the service does not know this URL"),
    "DCS.4002": Code("rejected", "the project ID is malformed", "Check project_id (32 hexadecimal digits)."),
    "DCS.4004": Code("rejected", "the request has no body"),
    "DCS.4005": Code("rejected", "the request's body is not JSON"),
    "DCS.4017": Code("busy", "another job of this instance still runs"),
    "DCS.4026": Code("busy", "the instance's state forbids this now"),
    "DCS.4049": Code("busy", "the instance is not running"),
    "DCS.4061": Code("invalid_argument", "the instance ID is malformed"),
    "DCS.4062": Code("invalid_argument", "a parameter is not valid"),
    "DCS.4063": Code("invalid_argument", "a parameter is not valid"),
    "DCS.4086": Code("not_restorable", "only master/standby instances can be backed up and restored"),
    "DCS.4087": Code("not_restorable", "the backup did not succeed, so it cannot be restored"),
    "DCS.4095": Code("not_restorable", "this kind of instance supports neither backup nor restore"),
    "DCS.4096": Code("busy", "the instance is being backed up"),
    "DCS.4097": Code("busy", "the instance is being restored"),
    "DCS.4098": Code("invalid_argument", "a remark has at most 128 characters"),
    "DCS.4104": Code("busy", "the instance is recovering from a fault"),
    "DCS.4108": Code("busy", "the instance is being resized by an order"),
    "DCS.4111": Code("busy", "the instance is restarting"),
    "DCS.4113": Code("busy", "the instance is being extended"),
    "DCS.4114": Code("busy", "the instance is being configured"),
    "DCS.4115": Code("busy", "the instance's password is being changed"),
    "DCS.4116": Code("busy", "the instance is being upgraded"),
    "DCS.4117": Code("busy", "the instance is being rolled back"),
    "DCS.4118": Code("busy", "the instance is being created"),
    "DCS.4120": Code("busy", "the instance is being frozen"),
    "DCS.4121": Code("busy", "the instance's password is being reset"),
    "DCS.4231": Code("busy", "the instance's keys are being analysed"),
    "DCS.4800": Code("invalid_argument", "a parameter is not valid"),
    "DCS.4975": Code("busy", "the instance is being created or restarted"),
    "DCS.5001": Code("rejected", "the service does not know this method"),
    "CBC.99003651": Code("busy", "another operation on the instance's order is under way"),
}
