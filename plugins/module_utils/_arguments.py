# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options that modules share.

Environment variables are read by _api/credentials.py, which must know where each value came from.
"""

from __future__ import annotations

import typing as t

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.endpoints import SERVICES

Spec = t.Dict[str, t.Dict[str, t.Any]]

CONNECTION: Spec = {
    "region": {"type": "str"},
    "project_id": {"type": "str"},
    "project_name": {"type": "str"},
    "access_key": {"type": "str", "aliases": ["ak"], "no_log": False},
    "secret_key": {"type": "str", "aliases": ["sk"], "no_log": True},
    "security_token": {"type": "str", "no_log": True},
    "auth_token": {"type": "str", "no_log": True},
    "username": {"type": "str"},
    "password": {"type": "str", "no_log": True},
    "domain_name": {"type": "str"},
    "shared_config_file": {"type": "path"},
    "profile": {"type": "str"},
    "assume_role_agency_name": {"type": "str"},
    "assume_role_domain_name": {"type": "str"},
    "assume_role_domain_id": {"type": "str"},
    "assume_role_duration": {"type": "int"},
    "use_instance_metadata": {"type": "bool"},
    "allowed_project_ids": {"type": "list", "elements": "str"},
    "allowed_domain_ids": {"type": "list", "elements": "str"},
    "cloud": {"type": "str"},
    **{f"{service}_endpoint": {"type": "str"} for service in SERVICES},
    "validate_certs": {"type": "bool"},
    "ca_path": {"type": "path", "aliases": ["ca_cert", "ca_bundle"]},
    "http_timeout": {"type": "int", "default": 60},
    "max_retries": {"type": "int"},
}

WAIT: Spec = {
    "wait": {"type": "bool", "default": True},
    "wait_timeout": {"type": "int", "default": 1800},
    "poll_interval": {"type": "int", "default": 10, "aliases": ["wait_interval", "wait_sleep"]},
}

RANGES = {  # from, to: a count, a percentage, or seconds
    "http_timeout": (1, 3600),
    "max_retries": (0, 999),
    "wait_timeout": (0, 604800),
    "start_timeout": (0, 604800),
    "poll_interval": (1, 3600),
    "verify_timeout": (1, 604800),
    "baseline_tolerance": (0, 1000),
}
