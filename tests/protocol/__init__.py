# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Random schedules: the real client and the simulated cloud in virtual time. One seed draws all faults.

    python -m tests.protocol --seed 4711 --verbose      what happened in one schedule, step by step
    python -m tests.protocol --count 1000000            many of them, on all cores
    python -m tests.protocol --kind metadata            only the seeds that recover metadata
    python -m tests.protocol --wrong post_again_on_5xx  the same with a client that is wrong on purpose
    python -m tests.protocol.explore                    every placement of a few faults instead of random ones

The problems that it searches for in the history that the cloud keeps:

- stale: a request relied on an observation older than assumption 4 allows;
- duplicate: an operation was started again although its first start was accepted and did not fail;
- lost: a task reported that nothing was changed although its restore runs or ran, or reported "unknown"
  although a list that could be read whole had shown the record;
- untrue: a task reported that it succeeded, failed or was unchanged, but the history contradicts it, or
  the instance did not serve yet;
- repeated: one run sent a second request although the first may have been executed;
- stuck: when no more faults occur, the same task does not succeed;
- bug: a task ended with internal_error.

ASSUMPTIONS has what must hold for zero problems. All schedules keep to it.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

# pytest knows where the collection is. Without pytest, say so here.
if importlib.util.find_spec("ansible_collections") is None:
    sys.path.insert(0, str(Path(__file__).resolve().parents[2] / ".work" / "dev"))

ASSUMPTIONS = """\
What must hold so that a restore is started at most once and never lost, whatever else fails:

1. The record of a restore can be seen before the restore ends. It may be missing from the list for a while,
   but not longer than the restore takes. (DCS: restores take 1 to 30 minutes. DDM: the same for the job.) A
   task that got the ID waits 180 s for the record to appear, and 60 s for one that it has seen before to
   come back; then it ends with outcome_unknown and the ID.
2. While it restores one instance, the cloud refuses to start another restore on it.
3. The remark of the restore is kept as it was written (DCS). When it is not, the task warns with
   marker_echoed: false. Then only one run is protected, and if its response was lost as well, it may name
   another restore of the same backup as its own.
4. A request does not arrive later than http_timeout after it was sent, and it is sent within 60 s of the
   beginning of the first of the two observations that allowed it. Within one run that is enough. When
   another run of the same task begins meanwhile (a relaunch after a kill, or two runs at once), a restore
   must also take longer than both together: 60 s + http_timeout, counted from when the instance's status
   or the list shows it. Otherwise wait that long before you relaunch: nobody can call back a request on its
   way.
5. A 4xx response that names an error code of the service (but for the codes for "busy" and 408) is true:
   the service did not act. The same goes for 429 and 401 with the gateway's code. Everything else may be a
   lie.
6. DDM has no remark. While a task runs, nobody else restores something else onto the same target. Other work
   on it may have a job whose name nobody documents; it holds the target as a restore does, and does not begin
   while the status still shows a restore that has ended. Across runs nothing is guessed: the next run is
   refused with the ID of the job, and job_id attaches to it. Where a job names the source instead of the
   target, it is only named as a possible effect.
7. A gateway may repeat a request by itself and show the second response, "busy". Then the instance shows at
   once that it is restoring, and the task looks for its record for 60 s before it ends with
   outcome_unknown. An instance that looks idle twice after "busy" is believed, so its status may be old
   once in a run, not twice.
8. A list may leave out an old record for as long as it likes, and one of the last minutes once in a run. A
   list of backups is whole.
9. The cloud's own clocks agree: those of its Date headers, and those of its records. The controller's
   calendar may be off and may jump.
"""
