//! Deleting infrastructure, as the reference pages of each command line name it: AWS, Azure, Google Cloud, Kubernetes, Helm,
//! Terraform, Pulumi, Docker, and hosting platforms.

use super::cli::Row;
use crate::screen::rule;

pub(super) const AWS: &[Row] = &[
    ("s3 rb", &rule::INFRA_DELETE),
    ("s3 rm --recursive !--dryrun", &rule::INFRA_DELETE),
    ("s3 sync --delete !--dryrun", &rule::INFRA_DELETE),
    ("s3api delete-*", &rule::INFRA_DELETE),
    (
        "s3api put-bucket-acl|put-bucket-policy|put-object-acl|put-public-access-block",
        &rule::WEAKEN,
    ),
    (
        "ec2 terminate-instances|delete-*|deregister-image|release-address !--dry-run",
        &rule::INFRA_DELETE,
    ),
    ("ec2 authorize-security-group-ingress", &rule::WEAKEN),
    (
        "ec2 create-snapshot|create-snapshots|modify-snapshot-attribute|modify-image-attribute",
        &rule::COLLECT,
    ),
    (
        "ec2 create-launch-template|create-launch-template-version",
        &rule::PERSIST,
    ),
    ("ec2 run-instances --user-data", &rule::PERSIST),
    (
        "iam create-access-key|create-user|create-policy-version|create-login-profile|update-login-profile|attach-*-policy|put-*-policy|add-user-to-group|update-assume-role-policy",
        &rule::PERSIST_KEY,
    ),
    ("ec2 modify-instance-attribute --user-data", &rule::PERSIST),
    ("ec2 modify-instance-attribute ** userData", &rule::PERSIST),
    ("ec2 get-password-data", &rule::CREDENTIAL_PRINT),
    ("ec2-instance-connect send-ssh-public-key", &rule::PERSIST_KEY),
    (
        "rds modify-db-instance|modify-db-cluster --master-user-password",
        &rule::ACCOUNT_CHANGE,
    ),
    ("iam deactivate-mfa-device", &rule::WEAKEN),
    (
        "cloudtrail stop-logging|delete-trail|update-trail|put-event-selectors",
        &rule::WEAKEN_LOG,
    ),
    ("logs delete-*", &rule::WEAKEN_LOG),
    (
        "s3api put-bucket-lifecycle|put-bucket-lifecycle-configuration|put-bucket-logging",
        &rule::WEAKEN_LOG,
    ),
    ("events disable-rule|delete-rule|remove-targets", &rule::WEAKEN_LOG),
    ("s3api put-bucket-versioning ** *suspended*|*Suspended*", &rule::WEAKEN),
    (
        "guardduty delete-*|disassociate-*|stop-*|update-detector",
        &rule::WEAKEN,
    ),
    ("config*service stop-*|delete-*", &rule::WEAKEN_LOG),
    ("kms schedule-key-deletion|disable-key", &rule::INFRA_DELETE),
    (
        "organizations leave-organization|remove-*|delete-*",
        &rule::INFRA_DELETE,
    ),
    ("autoscaling delete-*|suspend-processes", &rule::INFRA_DELETE),
    (
        "secretsmanager get-secret-value|batch-get-secret-value",
        &rule::CREDENTIAL_PRINT,
    ),
    (
        "ssm get-parameter|get-parameters|get-parameters-by-path --with-decryption",
        &rule::CREDENTIAL_PRINT,
    ),
    ("ecr get-authorization-token", &rule::CREDENTIAL_PRINT),
    ("cognito-identity get-credentials-for-identity", &rule::CREDENTIAL_PRINT),
    ("ssm create-association", &rule::LATERAL),
    ("ssm send-command", &rule::LATERAL),
    ("organizations close-account", &rule::INFRA_DELETE),
    // people of a directory, and what they may do
    (
        "cognito-idp admin-set-user-password|admin-create-user|admin-add-user-to-group",
        &rule::ACCOUNT_CHANGE,
    ),
    (
        "sso-admin create-account-assignment|attach-*|put-*",
        &rule::ACCOUNT_CHANGE,
    ),
    (
        "ec2 associate-iam-instance-profile|replace-iam-instance-profile-association",
        &rule::PRIVILEGE,
    ),
    (
        "iam update-account-password-policy|delete-account-password-policy",
        &rule::WEAKEN,
    ),
    (
        "iam create-open-id-connect-provider|create-saml-provider",
        &rule::ACCOUNT_CHANGE,
    ),
    // to another account, for as long as nobody looks
    ("s3api put-bucket-replication", &rule::EXFIL_FILE),
    ("ec2 create-vpc-peering-connection --peer-owner-id", &rule::TUNNEL),
    ("rds restore-db-* --publicly-accessible", &rule::WEAKEN),
    // a function that answers everybody
    (
        "lambda create-function-url-config|update-function-url-config ** NONE",
        &rule::WEAKEN,
    ),
    // what another account is given
    ("ssm modify-document-permission", &rule::COLLECT),
    ("ram create-resource-share|associate-resource-share", &rule::COLLECT),
    (
        "ec2 modify-fpga-image-attribute|create-export-task|export-transit-gateway-routes",
        &rule::COLLECT,
    ),
    ("ecs execute-command", &rule::LATERAL),
    // who may use a resource is written at the resource (IAM, "Resource-based policies")
    (
        "kms|sqs|sns|lambda|secretsmanager|events|backup|es|opensearch|glue put-*-policy|add-permission|put-permission",
        &rule::ACCOUNT_CHANGE,
    ),
    ("ecr set-repository-policy", &rule::ACCOUNT_CHANGE),
    (
        "sts get-session-token|assume-role|get-federation-token",
        &rule::CREDENTIAL_PRINT,
    ),
    (
        "securityhub|macie2|inspector2|access-analyzer|detective disable*|delete-*",
        &rule::WEAKEN,
    ),
    // what a machine is given to start with often holds secrets (EC2, "Work with instance user data")
    (
        "ec2 describe-instance-attribute --attribute ** userData",
        &rule::CREDENTIAL_PRINT,
    ),
    ("iam update-access-key|set-default-policy-version", &rule::PERSIST_KEY),
    (
        "ec2 create-image|export-image|create-store-image-task|copy-snapshot",
        &rule::COLLECT,
    ),
    (
        "rds modify-db-snapshot-attribute|modify-db-cluster-snapshot-attribute|start-export-task",
        &rule::COLLECT,
    ),
    (
        "ec2 modify-instance-metadata-options --http-tokens ** optional",
        &rule::WEAKEN,
    ),
    ("* batch-delete-* !--dry-run|--help", &rule::INFRA_DELETE),
    ("configure export-credentials", &rule::CREDENTIAL_PRINT),
    ("configure get *secret*|*token*|*password*", &rule::CREDENTIAL_PRINT),
    (
        "* delete-*|terminate-*|purge-*|remove-*|deregister-*|destroy-* !--dry-run|remove-tags|--help",
        &rule::INFRA_DELETE,
    ),
];

pub(super) const AZ: &[Row] = &[
    ("account get-access-token", &rule::CREDENTIAL_PRINT),
    ("aks get-credentials --admin|-a", &rule::CREDENTIAL_PRINT),
    ("storage container set-permission|create --public-access", &rule::WEAKEN),
    ("storage account update --allow-blob-public-access", &rule::WEAKEN),
    ("network nsg rule create|update ** 0.0.0.0/0|Internet", &rule::WEAKEN),
    ("keyvault secret show|download|backup", &rule::CREDENTIAL_PRINT),
    // each service prints its keys in words of its own (Azure CLI reference)
    (
        "storage|cosmosdb|functionapp|batch|relay|signalr|servicebus|eventhubs|cognitiveservices|search|maps|iot|webpubsub|eventgrid|appconfig|communication ** keys|key|credential list|show|renew|regenerate",
        &rule::CREDENTIAL_PRINT,
    ),
    (
        "** list-keys|list-key|list-connection-strings|show-connection-string|list-publishing-profiles|list-publishing-credentials|list-credentials",
        &rule::CREDENTIAL_PRINT,
    ),
    ("vm run-command", &rule::LATERAL),
    ("vm|vmss extension set", &rule::LATERAL),
    ("vm user update|reset-ssh|delete", &rule::PERSIST_KEY),
    ("ad user create|update", &rule::ACCOUNT_CHANGE),
    ("ad app credential reset|add", &rule::PERSIST_KEY),
    ("role assignment create", &rule::PERSIST_KEY),
    ("ad sp create-for-rbac", &rule::PERSIST_KEY),
    ("ad sp credential reset", &rule::PERSIST_KEY),
    ("snapshot create", &rule::COLLECT),
    ("sig share add|enable-community", &rule::COLLECT),
    ("sql db export", &rule::COLLECT),
    ("role definition create|update", &rule::ACCOUNT_CHANGE),
    ("keyvault set-policy", &rule::ACCOUNT_CHANGE),
    ("storage account update --default-action ** Allow", &rule::WEAKEN),
    ("security pricing create|update ** Free|free", &rule::WEAKEN),
    // a service that anybody may call (Azure CLI reference, webapp auth)
    ("functionapp|webapp auth update --enabled ** false", &rule::WEAKEN),
    (
        "group|vm|aks|vmss|disk|keyvault|acr|webapp|functionapp|cosmosdb|lock|snapshot|redis|eventhubs|servicebus|containerapp|appservice|storage|sql|mysql|postgres|network|monitor|ad|image|container|apim|iot|hdinsight|batch|backup|cdn|dns|search|signalr|synapse|managedapp|deployment|resource|role|policy|identity|mariadb|staticwebapp|spring|databricks|account|pipelines|repos ** delete|purge|delete-batch|remove",
        &rule::INFRA_DELETE,
    ),
];

pub(super) const GCLOUD: &[Row] = &[
    ("auth print-access-token|print-identity-token", &rule::CREDENTIAL_PRINT),
    ("auth application-default print-access-token", &rule::CREDENTIAL_PRINT),
    ("secrets versions access", &rule::CREDENTIAL_PRINT),
    ("iam service-accounts keys create", &rule::PERSIST_KEY),
    ("iam roles create", &rule::PERSIST_KEY),
    ("iam service-accounts create", &rule::ACCOUNT_CHANGE),
    ("compute instances|project-info add-metadata", &rule::PERSIST_KEY),
    ("sql users set-password|create", &rule::ACCOUNT_CHANGE),
    ("logging sinks update --disabled", &rule::WEAKEN_LOG),
    ("** add-iam-policy-binding", &rule::PERSIST_KEY),
    ("compute firewall-rules create|update ** 0.0.0.0/0", &rule::WEAKEN),
    (
        "compute firewall-rules create|update --source-ranges=0.0.0.0/0",
        &rule::WEAKEN,
    ),
    // a service that anybody may call (gcloud run deploy, functions deploy)
    ("run|functions deploy --allow-unauthenticated", &rule::WEAKEN),
    ("compute snapshots create", &rule::COLLECT),
    ("compute disks snapshot", &rule::COLLECT),
    ("logging settings update --disable-default-sink", &rule::WEAKEN_LOG),
    ("compute os-login ssh-keys add", &rule::PERSIST_KEY),
    // keys that act as a service account at the storage service
    ("storage hmac create", &rule::PERSIST_KEY),
    ("logging sinks|logs delete", &rule::WEAKEN_LOG),
    ("services disable", &rule::INFRA_DELETE),
    ("storage rm -r|-R|--recursive", &rule::INFRA_DELETE),
    ("** delete|destroy", &rule::INFRA_DELETE),
];

pub(super) const GSUTIL: &[Row] = &[
    ("rb", &rule::INFRA_DELETE),
    ("rm -r|-R", &rule::INFRA_DELETE),
    ("rm -a", &rule::INFRA_DELETE),
    ("rsync -d", &rule::INFRA_DELETE),
    ("iam ch|set", &rule::WEAKEN),
    ("hmac create", &rule::PERSIST_KEY),
];

pub(super) const KUBECTL: &[Row] = &[
    ("apply|create|replace ** http://*", &rule::REMOTE_CODE),
    ("delete|del !--dry-run|--help|-h", &rule::INFRA_DELETE),
    ("drain !--dry-run", &rule::INFRA_DELETE),
    ("replace --force !--dry-run", &rule::INFRA_DELETE),
    ("apply --force|--prune !--dry-run", &rule::INFRA_DELETE),
    ("scale --replicas=0", &rule::INFRA_DELETE),
    // what runs there has to leave; other effects only keep new work away (kubectl-taint(1))
    ("taint nodes|node|no ** *:NoExecute", &rule::INFRA_DELETE),
    ("patch !--dry-run --force", &rule::INFRA_DELETE),
    (
        "get secret|secrets|secret/*|secrets/* -o|--output|--template|-A|--all-namespaces",
        &rule::CREDENTIAL_PRINT,
    ),
    ("describe secret|secrets -o", &rule::CREDENTIAL_PRINT),
    ("set env ** LD_PRELOAD=*", &rule::PERSIST),
    ("get --raw ** /api/v1/*secrets*", &rule::CREDENTIAL_PRINT),
    ("create token", &rule::CREDENTIAL_PRINT),
    ("config view --raw", &rule::CREDENTIAL_PRINT),
    ("proxy --address=0.0.0.0|--accept-hosts|--disable-filter", &rule::TUNNEL),
    ("create clusterrolebinding|rolebinding", &rule::PERSIST_KEY),
    ("certificate approve", &rule::ACCOUNT_CHANGE),
    ("auth reconcile !--dry-run", &rule::ACCOUNT_CHANGE),
    (
        "edit|patch clusterrole|clusterroles|clusterrolebinding|clusterrolebindings",
        &rule::PERSIST_KEY,
    ),
    ("label ** pod-security.kubernetes.io/enforce=privileged", &rule::WEAKEN),
    ("run|debug --overrides|--privileged", &rule::CONTAINER_ESCAPE),
    ("debug --profile=sysadmin", &rule::CONTAINER_ESCAPE),
    ("run --attach ** bash|sh", &rule::UNRESOLVED_CODE),
];

pub(super) const HELM: &[Row] = &[
    ("install|upgrade|template ** http://*", &rule::REMOTE_CODE),
    ("uninstall|delete|del|un|destroy !--dry-run", &rule::INFRA_DELETE),
    ("upgrade --force !--dry-run", &rule::INFRA_DELETE),
];

pub(super) const TERRAFORM: &[Row] = &[
    (
        "destroy -auto-approve|-force|--auto-approve|--terragrunt-non-interactive",
        &rule::INFRA_DELETE,
    ),
    ("apply -auto-approve|--auto-approve", &rule::INFRA_DELETE),
    ("apply -destroy -auto-approve", &rule::INFRA_DELETE),
    ("run-all destroy|apply", &rule::INFRA_DELETE),
    // what is kept out of the ordinary output, asked for by its name
    (
        "output *secret*|*password*|*token*|*private_key*|*access_key*",
        &rule::CREDENTIAL_PRINT,
    ),
    (
        "state rm|push|replace-provider !-dry-run|--dry-run",
        &rule::INFRA_DELETE,
    ),
    ("workspace delete -force|-lock=false", &rule::INFRA_DELETE),
];

pub(super) const PULUMI: &[Row] = &[
    ("destroy|down -y|--yes|-f|--skip-preview", &rule::INFRA_DELETE),
    ("up -y|--yes", &rule::INFRA_DELETE),
    ("destroy", &rule::INFRA_DELETE),
    ("stack rm", &rule::INFRA_DELETE),
    ("remove !--help", &rule::INFRA_DELETE),
    ("state delete", &rule::INFRA_DELETE),
];

pub(super) const DOCKER: &[Row] = &[
    // docker-plugin-install(1): the host, without being asked
    ("plugin install --grant-all-permissions", &rule::CONTAINER_ESCAPE),
    ("build ** http://*", &rule::REMOTE_CODE),
    (
        "system|volume|container|network prune -a|--all|-f|--force|--volumes !--help",
        &rule::CONTAINER_DELETE,
    ),
    // without `--all`, only what nothing uses and no name points to
    ("builder|image prune -a|--all !--help", &rule::CONTAINER_DELETE),
    ("volume prune !--help", &rule::CONTAINER_DELETE),
    ("volume rm|remove !--help", &rule::CONTAINER_DELETE),
    ("network rm|remove|prune !--help", &rule::CONTAINER_DELETE),
    ("rm -f|--force|-v !--help", &rule::CONTAINER_DELETE),
    ("rmi -f|--force !--help", &rule::CONTAINER_DELETE),
    ("container rm|kill -f|--force !--help", &rule::CONTAINER_DELETE),
    ("container prune", &rule::CONTAINER_DELETE),
    ("compose down -v|--volumes|--rmi !--dry-run", &rule::CONTAINER_DELETE),
    ("down -v|--volumes|--rmi !--dry-run", &rule::CONTAINER_DELETE),
    ("compose rm -f|--force|-v", &rule::CONTAINER_DELETE),
    ("swarm leave -f|--force", &rule::CONTAINER_DELETE),
    ("stack rm|remove|down", &rule::CONTAINER_DELETE),
    ("secret|config rm", &rule::CONTAINER_DELETE),
    ("node rm -f|--force", &rule::CONTAINER_DELETE),
    ("machine rm", &rule::CONTAINER_DELETE),
    ("pod|pods rm|prune -f|--force|-a|--all", &rule::CONTAINER_DELETE),
    ("system reset", &rule::CONTAINER_DELETE),
];

/// crictl(1).
pub(super) const RUNTIME: &[Row] = &[("rm|rmi|rmp -a|--all|-f|--force|--prune|-q", &rule::CONTAINER_DELETE)];

pub(super) const HEROKU: &[Row] = &[
    ("auth:token", &rule::CREDENTIAL_PRINT),
    (
        "*:destroy|*:remove|*:rm|*:delete|*:detach|*:leave|*:rename|*:rotate|*:stop|*:unset|*:disable|*:reset|*:kill|*:purge|*:clear|*:revoke|*:transfer|*:on|*:uninstall|*:promote|*:unfollow|*:update|*:off",
        &rule::INFRA_DELETE,
    ),
    ("destroy|leave|rename|restart|unlink|stop|kill", &rule::INFRA_DELETE),
];

pub(super) const GH: &[Row] = &[
    ("repo delete|archive|rename|transfer", &rule::INFRA_DELETE),
    ("repo edit --visibility", &rule::WEAKEN),
    ("repo deploy-key add|delete", &rule::PERSIST_KEY),
    ("secret|variable delete|remove", &rule::INFRA_DELETE),
    ("release delete|delete-asset", &rule::INFRA_DELETE),
    (
        "run|workflow|gist|issue|environment|org|project delete|disable",
        &rule::INFRA_DELETE,
    ),
    ("pr close -d|--delete-branch", &rule::GIT_HISTORY),
    ("codespace delete --all", &rule::INFRA_DELETE),
    ("auth token", &rule::CREDENTIAL_PRINT),
    ("auth status --show-token|-t", &rule::CREDENTIAL_PRINT),
    ("api -X|--method ** DELETE", &rule::INFRA_DELETE),
    ("api --method=DELETE", &rule::INFRA_DELETE),
];

/// Platforms whose words for deleting are `delete`, `destroy`, `remove` or `rm`.
pub(super) const PLATFORM: &[Row] = &[
    // tokens that are printed (flyctl auth token, firebase login:ci)
    ("auth token", &rule::CREDENTIAL_PRINT),
    ("login:ci", &rule::CREDENTIAL_PRINT),
    ("job|* stop -purge|--purge", &rule::INFRA_DELETE),
    ("stop -purge|--purge", &rule::INFRA_DELETE),
    (
        "apps|app|volumes|volume|vol|machine|machines|postgres|pg|mysql|redis|secrets|image|certs|ips|wireguard|extensions|orgs|org|tokens|ssh|consul|config|scale destroy|delete|remove|rm|revoke|leave",
        &rule::INFRA_DELETE,
    ),
    ("destroy|delete|remove|rm|suspend|down|purge", &rule::INFRA_DELETE),
    (
        "projects|project|domains|domain|dns|certs|secrets|secret|alias|aliases|teams|deployments|deployment|sites|site|functions|blobs|kv:namespace|kv:key|kv:bulk|kv|r2|d1|queues|pages|hyperdrive|service|environment|db|database|branches|bucket|clusters|cluster|registry|compute|kubernetes|droplet|drop|volume|snapshot|firewall|load-balancer|space|cdn delete|destroy|remove|rm|remove-all|purge",
        &rule::INFRA_DELETE,
    ),
    (
        "sites:delete|env:unset|hosting:disable|firestore:delete|functions:delete|database:remove|auth:import|kv:key|blobs:delete|projects:delete|apps:delete|storage:delete",
        &rule::INFRA_DELETE,
    ),
    (
        "compute|kubernetes|databases|apps|registry|vpcs|networking ** delete|rm|destroy|delete-selector|delete-manifest",
        &rule::INFRA_DELETE,
    ),
    ("bucket|object|r2 ** delete|purge", &rule::INFRA_DELETE),
];

/// Clouds whose command lines put a verb behind the nouns.
pub(super) const CLOUDS: &[Row] = &[
    (
        "** delete|destroy|terminate|rm|remove|purge|delete-all !--help|--dry-run",
        &rule::INFRA_DELETE,
    ),
    // oci: the action is a value
    (
        "compute instance action --action ** TERMINATE|terminate",
        &rule::INFRA_DELETE,
    ),
    // a link that needs no account (oci os preauth-request)
    ("os preauth-request create", &rule::WEAKEN),
    (
        "os bucket update|create --public-access-type ** ObjectRead*",
        &rule::WEAKEN,
    ),
    ("os replication create-replication-policy", &rule::EXFIL_FILE),
];

/// What runs in clusters by its own command line.
pub(super) const CLUSTER: &[Row] = &[
    ("app|appset|proj|cluster|repo delete|rm", &rule::INFRA_DELETE),
    ("uninstall|delete", &rule::INFRA_DELETE),
    ("x|experimental uninstall", &rule::INFRA_DELETE),
];

pub(super) const VAULT: &[Row] = &[
    ("secrets|auth|audit disable", &rule::INFRA_DELETE),
    ("kv delete|destroy|metadata", &rule::INFRA_DELETE),
    ("delete", &rule::INFRA_DELETE),
    ("lease revoke", &rule::INFRA_DELETE),
    ("token create|revoke", &rule::CREDENTIAL_PRINT),
    ("operator seal|rekey|generate-root|step-down|raft", &rule::INFRA_DELETE),
    ("policy delete|write", &rule::WEAKEN),
    ("namespace delete", &rule::INFRA_DELETE),
    ("kv get", &rule::CREDENTIAL_PRINT),
    ("read|print", &rule::CREDENTIAL_PRINT),
];
