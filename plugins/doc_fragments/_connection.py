# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it may change in any release.

"""The options of signing in and of talking to the cloud, and what a failed task carries."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  region:
    description:
      - Region of the instances, for example V(ap-southeast-3). The endpoints follow from it and from
        O(cloud).
      - The environment variable E(HW_REGION_NAME) is used when the option is not set.
      - Not needed when the endpoints and the project are given.
    type: str
  project_id:
    description:
      - ID of the project that holds the instances, 32 hexadecimal digits. When absent, the task looks it up
        by O(project_name), which costs one request.
      - The environment variables E(HW_PROJECT_ID) and E(HUAWEICLOUD_SDK_PROJECT_ID) are used when the
        option is not set,
        each only with keys from the same kind of variable, because a project belongs to an account.
    type: str
  project_name:
    description:
      - Exact name of the project, used to look up the ID. When absent it is the name of the region.
        A task that gets O(project_id) as well fails. In the environment, the ID takes precedence.
      - The environment variable E(HW_PROJECT_NAME) is used when the option is not set, but only with
        keys from C(HW_*) variables.
    type: str
  access_key:
    description:
      - Access key ID (AK), to sign every request together with O(secret_key).
      - The environment variables E(HW_ACCESS_KEY) and E(HUAWEICLOUD_SDK_AK) are used, in this order,
        when the option is not set.
    type: str
    aliases: [ak]
  secret_key:
    description:
      - Secret access key (SK) that belongs to O(access_key).
      - The environment variables E(HW_SECRET_KEY) and E(HUAWEICLOUD_SDK_SK) are used, in this order,
        when the option is not set.
    type: str
    aliases: [sk]
  security_token:
    description:
      - Security token that belongs to temporary keys. Leave it out for permanent keys.
      - The environment variables E(HW_SECURITY_TOKEN) and E(HUAWEICLOUD_SDK_SECURITY_TOKEN) are used when the
        option is not set, each only with the keys from the same kind of variable, because a token of other
        keys would make these keys fail.
    type: str
  auth_token:
    description:
      - IAM token that you already have, scoped to the project. The task cannot renew it.
      - If it expires during a wait, the operation goes on in the cloud, and a new run with a new token
        attaches to it.
      - The environment variable E(HW_AUTH_TOKEN) is used when the option is not set.
    type: str
  username:
    description:
      - Name of an IAM user, to obtain a token together with O(password) and O(domain_name).
      - The environment variable E(HW_USER_NAME) is used when the option is not set.
    type: str
  password:
    description:
      - Password of the IAM user.
      - The environment variable E(HW_USER_PASSWORD) is used when the option is not set.
    type: str
  domain_name:
    description:
      - Name of the account that the IAM user belongs to.
      - The environment variable E(HW_DOMAIN_NAME) is used when the option is not set.
    type: str
  shared_config_file:
    description:
      - Profile file as KooCLI and Terraform use it, in place of C(~/.hcloud/config.json).
      - When a task sets this option, it is a source of keys, as O(profile) is. The environment variable
        E(HW_SHARED_CONFIG_FILE) is used when the option is not set,
        but the file is read only when no other source holds keys.
    type: path
  profile:
    description:
      - Name of the profile in O(shared_config_file). When absent it is the current profile that the
        file names.
      - When a task names a profile, it acts as that profile, even when there are keys in the environment.
        Region and project come from the profile, too.
      - Profiles of the modes V(AKSK), V(AssumeRole) and V(agency) can be used. Encrypted or masked keys and
        the modes V(SSO), V(token) and V(ecsAgency) are refused, and the message says what to do instead.
      - The environment variable E(HW_PROFILE) is used when the option is not set, but the file is
        read only when no other source holds keys.
    type: str
  assume_role_agency_name:
    description:
      - Name of an agency to act as. The task then uses the other keys only to obtain temporary keys of the
        agency. It renews these before they expire, also during a wait.
      - It needs O(assume_role_domain_name) or O(assume_role_domain_id). A profile may hold all of these.
      - The environment variable E(HW_ASSUME_ROLE_AGENCY_NAME) is used when the option is not set, but
        not with keys or a profile in the task.
    type: str
  assume_role_domain_name:
    description:
      - Name of the account that the agency belongs to.
      - The environment variable E(HW_ASSUME_ROLE_DOMAIN_NAME) is used with C(HW_ASSUME_ROLE_AGENCY_NAME).
    type: str
  assume_role_domain_id:
    description:
      - ID of the account that the agency belongs to. A task that gets O(assume_role_domain_name) as well
        fails. In the environment and in a profile, the ID takes precedence over the name.
      - The environment variable E(HW_ASSUME_ROLE_DOMAIN_ID) is used with C(HW_ASSUME_ROLE_AGENCY_NAME).
    type: str
  assume_role_duration:
    description:
      - Lifetime of the temporary keys of the agency, in seconds, from 900 to 86400. When absent, the cloud
        uses 900.
      - The environment variable E(HW_ASSUME_ROLE_DURATION) is used when the option is not set.
    type: int
  use_instance_metadata:
    description:
      - Take the keys of the agency that is attached to the cloud server (ECS) on which the task runs,
        from its metadata at C(169.254.169.254).
        The task requests the metadata only when this is V(true), and waits 3 seconds for them.
      - The environment variable E(HW_USE_INSTANCE_METADATA) is used when the option is not set.
    type: bool
  allowed_project_ids:
    description:
      - IDs of the projects in which the task may act. When the credentials lead to another project, the task
        fails before any other request. An empty list is refused.
    type: list
    elements: str
  allowed_domain_ids:
    description:
      - IDs of the accounts in which the task may act. When the credentials lead to another account, the task
        fails before any other request. This costs one request to IAM in each task. An empty list is refused.
    type: list
    elements: str
  cloud:
    description:
      - Domain of the cloud, the last part of every endpoint.
      - When absent it is C(myhuaweicloud.eu) for the regions C(eu-west-1xx), that of Open Telekom
        Cloud for V(eu-de), V(eu-nl) and V(eu-ch2),
        and C(myhuaweicloud.com) for all others.
      - The environment variable E(HW_CLOUD) is used when the option is not set.
    type: str
  ddm_endpoint:
    description:
      - Full URL of the DDM service, without a version at its end; overrides O(region) and O(cloud).
        V(http://) is accepted for a loopback address only.
      - The environment variable E(HW_DDM_ENDPOINT) is used when the option is not set.
    type: str
  dcs_endpoint:
    description:
      - Full URL of the DCS service, without a version at its end; overrides O(region) and O(cloud).
        V(http://) is accepted for a loopback address only.
      - The environment variable E(HW_DCS_ENDPOINT) is used when the option is not set.
    type: str
  iam_endpoint:
    description:
      - Full URL of the IAM service, without a version at its end; overrides O(region) and O(cloud).
        V(http://) is accepted for a loopback address only.
      - The environment variable E(HW_IAM_ENDPOINT) is used when the option is not set.
    type: str
  validate_certs:
    description:
      - Whether to verify the certificates of the endpoints. They are verified unless this is V(false).
      - The environment variable E(HW_INSECURE), which means the opposite, is used when the option is not set.
    type: bool
  ca_path:
    description:
      - File with the CA certificates (PEM) to trust instead of those that come with Python's
        C(certifi). An empty file counts as not set.
      - The environment variable E(HW_CA_PATH) is used when the option is not set.
        E(REQUESTS_CA_BUNDLE) has no effect.
    type: path
    aliases: [ca_cert, ca_bundle]
  http_timeout:
    description: Longest wall-clock time for one HTTP exchange, in seconds, from 1 to 3600.
    type: int
    default: 60
  max_retries:
    description:
      - How many times the task repeats a request that is safe to repeat, after a temporary fault, from 0 to
        999. When absent, it is 5. The task repeats a request that starts a restore or a backup only after
        proof that the cloud has not carried it out.
      - The environment variable E(HW_MAX_RETRIES) is used when the option is not set.
    type: int
requirements:
  - python >= 3.9
  - requests >= 2.28
notes:
  - An empty string means that the option, variable or profile value is not set.
  - "Give exactly one way to sign in: O(auth_token), or O(access_key) with O(secret_key), or
    O(username) with O(password) and O(domain_name),
    or a profile, or O(use_instance_metadata)."
  - "All parts of an identity come from one source, the first of these that holds one: the task (an option
    wins over C(module_defaults)); the C(HW_*) variables; the C(HUAWEICLOUD_SDK_*) variables; the credentials
    file of the official SDK that E(HUAWEICLOUD_SDK_CREDENTIALS_FILE) names; the profile that E(HW_PROFILE) or
    E(HW_SHARED_CONFIG_FILE) names; C(~/.huaweicloud/credentials); C(~/.hcloud/config.json). The task refuses
    an incomplete identity."
  - Every other option comes from the task, or else from its environment variable.
  - A proxy comes from E(HTTPS_PROXY), or else E(ALL_PROXY), unless E(NO_PROXY) names the host. Requests to
    this machine itself go through no proxy. A C(.netrc) file has no effect.
  - "A failed task returns C(msg) (one line: what failed, on what, what was and was not done, what to do next)
    and C(error_kind), a stable word: V(auth_failed), V(denied), V(not_found), V(busy), V(invalid_argument),
    V(not_restorable), V(throttled), V(not_started), V(operation_failed), V(wait_timeout), V(outcome_unknown),
    V(protocol_error), V(tls_error), V(transport_error) and others."
  - "Where they are known, a failed task also returns C(error_code) (of the service), C(http_status),
    C(request_id) (for a support ticket), C(keys_refused) (true when the cloud refused the keys or the
    password that the task was given, and not what it got for them), C(encoded_authorization_message) (which
    an administrator of IAM can decode), C(restore_id), C(backup_id) or C(job_id) (of the operation that goes
    on or failed), C(status) (the last one seen) and C(elapsed) (seconds). V(outcome_unknown) comes with
    C(sent_at) (when the request was sent, by the clock of the cloud), C(checks) (how many observations
    followed), C(trail) (what the first and the last checks showed), C(trail_left_out) (how many between them
    it lacks), C(found) (the IDs of its possible effects) and what the request named (C(instance_id),
    C(backup_id) and C(marker), or C(target_instance_id) and C(restore_time)). V(busy) comes with C(stuck) if
    the operation that holds the instance never ends by itself."
"""
