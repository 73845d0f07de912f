# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the info modules share: exact filters and a window of time, applied here
because the API's own are few and vaguely documented, and lists of one.
"""

from __future__ import annotations

import typing as t

from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.cloud import Cloud
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.errors import (
    InvalidArgument,
    NotFound,
)
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.times import time_of
from ansible_collections.huaweicloud.recovery.plugins.module_utils._api.values import moment, same_id

Row = t.Dict[str, t.Any]
FOREVER = 2**53  # epoch milliseconds, later than any time


def existing(read: t.Callable[[], Row]) -> list[Row]:
    """Return [read()], or [] when the service itself says that there is no such object.

    A 404 without a code of the service comes from a proxy or a gateway.
    """
    try:
        return [read()]
    except NotFound as error:
        if not error.by_service:
            raise
        return []


def matching(rows: t.Iterable[Row], params: t.Mapping[str, t.Any], fields: t.Mapping[str, str]) -> list[Row]:
    """Return the rows whose fields equal the options.

    `fields` is option -> field. An option that is not set lets every row pass.
    """
    wanted = {field: params[option] for option, field in fields.items() if params[option]}
    return [
        row
        for row in rows
        if all(
            same_id(row[field], value) if field.endswith("id") else row[field] == value
            for field, value in wanted.items()
        )
    ]


def window(
    params: t.Mapping[str, t.Any], cloud: Cloud, begin: int = 0, end: int = FOREVER
) -> tuple[int, int]:
    """Return begin_time and end_time as epoch milliseconds, or the defaults.

    Raises InvalidArgument when they are the wrong way round.
    """
    begin = time_of(params, "begin_time", cloud) if params["begin_time"] else begin
    end = time_of(params, "end_time", cloud) if params["end_time"] else end
    if begin > end:
        raise InvalidArgument(
            f"begin_time ({params['begin_time'] or 'its default'}) lies after end_time "
            f"({params['end_time']})."
        )
    return begin, end


def within(rows: t.Iterable[Row], field: str, begin: int, end: int) -> list[Row]:
    """Return the rows whose time in `field` lies in the window, its ends included.

    A time that cannot be read excludes nothing.
    """
    times = [(row, moment(row[field])) for row in rows]
    return [row for row, time in times if time is None or begin <= time <= end]
