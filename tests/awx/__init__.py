# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""AWX without AWX: a small API that keeps AWX's rules, and jobs that run as AWX runs them.

rules.py       what AWX accepts, as in awx/main/fields.py, awx/api/views and awx/main/models
               of https://github.com/ansible/awx
controller.py  the API that the modules of awx.awx talk to
project.py     a project: a git repository, its playbooks, the collections that it requires
jobs.py        credential -> environment, survey -> extra variables, and ansible-runner with exactly these
"""
