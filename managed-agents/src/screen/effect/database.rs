//! Clients of databases and the management commands of frameworks: mysql(1), psql(1), sqlite3(1), redis-cli(1), mongosh(1),
//! and migrations that start over.

use super::found;
use crate::screen::cmd::Cmd;
use crate::screen::rule;
use crate::screen::shell::walk::Walk;
use crate::screen::sql;

by_name! {
    NAMES: pub(super) fn judge(walk: &mut Walk<'_>, cmd: &Cmd<'_>) where cmd.name is {
        "mysql" | "mariadb" | "psql" | "sqlite3" | "sqlcmd" | "isql" | "usql" | "pgcli" | "mycli" | "litecli"
        | "duckdb" | "cockroach" | "clickhouse-client" | "clickhouse" | "bq" | "snowsql" | "cqlsh" | "impala-shell"
        | "beeline" | "hive" | "trino" | "osql" | "tsql" | "influx" | "sqlplus" | "db2" | "spanner-cli"
        | "wrangler" | "turso" | "neonctl" | "supabase" | "sqlite-utils" | "mssql-cli" | "ysqlsh" => {
            statements(walk, cmd);
            // influx(1): a bucket, an organisation, or what stands in one
            if cmd.name == "influx" {
                if cmd.arg(0) == "delete" || cmd.arg(1) == "delete" {
                    found(walk, cmd, &rule::DATABASE_DESTROY);
                } else {
                    super::grammar::unknown(walk, cmd);
                }
            }
        },
        "redis-cli" | "valkey-cli" | "keydb-cli" | "flushall" | "flushdb" => redis(walk, cmd),
        "mongo" | "mongosh" => mongo(walk, cmd),
        "dropdb" | "dropuser" if cmd.name == "dropdb" && !cmd.args.is_empty() => {
            found(walk, cmd, &rule::DATABASE_DESTROY)
        },
        // WP-CLI and Drush: the tables of a site
        "wp" if cmd.arg(0) == "db" && matches!(cmd.arg(1), "reset" | "drop" | "clean") => found(walk, cmd, &rule::DATABASE_DESTROY),
        "wp" if cmd.arg(0) == "site" && cmd.arg(1) == "empty" => found(walk, cmd, &rule::DATABASE_DESTROY),
        "drush" if cmd.has_any(&["sql-drop", "sql:drop", "sqldrop"]) => found(walk, cmd, &rule::DATABASE_DESTROY),
        // ldapdelete(1): a whole subtree
        "ldapdelete" if cmd.short('r') => found(walk, cmd, &rule::DATABASE_DESTROY),
        "cypher-shell" | "neo4j-shell" if cmd.args.iter().map(|field| field.text.as_str()).chain(cmd.stdin.full_text()).any(|text| {
            let upper = text.to_ascii_uppercase();
            upper.contains("DETACH DELETE") && !upper.contains("WHERE") && !upper.contains('{')
        }) => found(walk, cmd, &rule::DATABASE_DESTROY),
        "mysqladmin" if cmd.has("drop") || cmd.has("shutdown") || cmd.has("flush-privileges") && cmd.has("drop") => {
            found(walk, cmd, &rule::DATABASE_DESTROY)
        },
        "pg_restore" if cmd.long("clean") && cmd.long("create") => found(walk, cmd, &rule::DATABASE_DESTROY),
        "rails" | "rake" | "bin/rails" | "artisan" | "prisma" | "knex" | "sequelize" | "typeorm" | "alembic"
        | "flyway" | "liquibase" | "dbt" | "goose" | "migrate" | "diesel" | "sqlx" | "manage.py" | "mix"
        | "drizzle-kit" | "sequelize-cli" | "npx" | "yarn" | "pnpm" | "bunx" | "bundle" | "php" | "django-admin"
        | "doctrine" | "console" | "flask" | "laravel" | "dotnet" | "dotnet-ef" | "python" | "poetry" | "uv" => {
            management(walk, cmd, "");
        },
        // text that a database would take as it stands
        "drop" | "truncate" | "delete" | "alter" | "update" | "merge" | "grant" | "revoke" | "exec" | "with"
        | "insert" | "replace" => bare(walk, cmd),
    } else {}
}

/// A statement where a shell command was expected: some tools take either.
fn bare(walk: &mut Walk<'_>, cmd: &Cmd<'_>) {
    let mut text = cmd.name.to_owned();
    for field in cmd.args {
        text.push(' ');
        text.push_str(&field.text);
    }
    let second = cmd.arg(0).to_ascii_lowercase();
    let looks = matches!(
        (cmd.name, second.as_str()),
        (
            "drop" | "alter" | "truncate",
            "table"
                | "database"
                | "schema"
                | "index"
                | "view"
                | "user"
                | "role"
                | "column"
                | "function"
                | "sequence"
                | "type"
                | "trigger"
                | "extension"
                | "keyspace"
                | "materialized"
                | "collection"
                | "procedure"
                | "owned"
                | "tablespace"
                | "policy"
                | "publication"
        ) | ("delete", "from")
    ) || cmd.name == "update" && cmd.args.iter().any(|field| field.text.eq_ignore_ascii_case("set"))
        || matches!(cmd.name, "grant" | "revoke") && cmd.args.iter().any(|field| field.text.eq_ignore_ascii_case("on"));
    if looks {
        for rule in sql::statements(&text).rules {
            found(walk, cmd, rule);
        }
    }
}

fn statements(walk: &mut Walk<'_>, cmd: &Cmd<'_>) {
    // the statement is the value of an option or an operand; what is none has nothing to find
    let mut texts: Vec<&str> = cmd
        .args
        .iter()
        .map(|field| field.text.as_str())
        .filter(|text| text.contains(' ') || text.contains("/*"))
        .collect();
    texts.extend(cmd.stdin.full_text());
    // a statement without quotes
    let at = cmd.args.iter().position(|field| {
        matches!(
            field.text.as_str(),
            "-c" | "-e" | "--command" | "--execute" | "-q" | "-Q" | "query"
        )
    });
    let loose: Vec<&str> = at
        .map(|at| cmd.args.iter().skip(at + 1).map(|field| field.text.as_str()).collect())
        .unwrap_or_default();
    let loose = loose.join(" ");
    texts.push(&loose);
    for text in texts {
        let text = match text.split_once('=') {
            Some((option, rest)) if option.starts_with("--") => rest,
            _ => text
                .strip_prefix("-e")
                .or_else(|| text.strip_prefix("-c"))
                .unwrap_or(text),
        };
        for rule in sql::statements(text).rules {
            found(walk, cmd, rule);
        }
    }
}

/// Commands of Redis that empty, stop, or reach the file system.
fn redis(walk: &mut Walk<'_>, cmd: &Cmd<'_>) {
    let mut words: Vec<String> = cmd.args.iter().map(|field| field.text.to_ascii_uppercase()).collect();
    words.insert(0, cmd.name.to_ascii_uppercase());
    words.extend(
        cmd.stdin
            .full_text()
            .unwrap_or_default()
            .split_whitespace()
            .take(64)
            .map(str::to_ascii_uppercase),
    );
    let has = |word: &str| words.iter().any(|own| own == word);
    if matches!(cmd.name, "flushall" | "flushdb")
        && !matches!(cmd.arg(0).to_ascii_uppercase().as_str(), "" | "ASYNC" | "SYNC")
    {
        return;
    }
    if has("FLUSHALL")
        || has("FLUSHDB")
        || has("SWAPDB")
        || has("SHUTDOWN")
        || (has("DEBUG") && (has("SEGFAULT") || has("RELOAD")))
        || has("REPLICAOF")
        || has("SLAVEOF")
        || (has("CLUSTER") && has("RESET"))
        || (has("SCRIPT") && has("FLUSH"))
    {
        found(walk, cmd, &rule::DATABASE_DESTROY);
    } else if has("CONFIG") && has("SET")
        || has("MODULE") && has("LOAD")
        || has("CONFIG")
            && has("GET")
            && words
                .iter()
                .any(|own| matches!(own.as_str(), "REQUIREPASS" | "MASTERAUTH"))
        || has("EVAL") && words.iter().any(|own| own.contains("OS.EXECUTE"))
    {
        found(walk, cmd, &rule::SQL_DANGEROUS);
    }
}

fn mongo(walk: &mut Walk<'_>, cmd: &Cmd<'_>) {
    let mut texts: Vec<&str> = cmd.args.iter().map(|field| field.text.as_str()).collect();
    texts.extend(cmd.stdin.full_text());
    let destroys = [
        "dropDatabase",
        ".drop(",
        "deleteMany({})",
        "remove({})",
        "dropIndexes",
        "dropUser",
        "dropAllUsers",
        "dropAllRoles",
        "dropIndex(",
        "shutdownServer",
        "shutdown:",
        "shutdown :",
        "rs.remove",
        "removeShard",
        "dropRole",
    ];
    if texts.iter().any(|text| destroys.iter().any(|own| text.contains(own))) {
        found(walk, cmd, &rule::DATABASE_DESTROY);
    }
    if texts
        .iter()
        .any(|text| text.contains("system.users") || text.contains("showCredentials"))
    {
        found(walk, cmd, &rule::CREDENTIAL_PRINT);
    }
}

/// Management commands of frameworks that drop, empty or start over a database.
pub(super) fn management(walk: &mut Walk<'_>, cmd: &Cmd<'_>, file: &str) {
    let has = |word: &str| cmd.args.iter().any(|field| field.text == word);
    let words = [
        "db:drop",
        "db:reset",
        "db:purge",
        "db:schema:load",
        "db:truncate_all",
        "db:drop:all",
        "migrate:fresh",
        "migrate:reset",
        "migrate:refresh",
        "db:wipe",
        "sqlflush",
        "db:migrate:reset",
        "db:drop:_unsafe",
        "ecto.drop",
        "ecto.reset",
        "schema:drop",
        "database:drop",
        "orm:schema-tool:drop",
        "doctrine:schema:drop",
        "doctrine:database:drop",
        "db:migrate:undo:all",
        "schema:sync",
    ];
    // what is written in the framework's own language: all rows of a model
    let model = cmd.args.iter().any(|field| {
        let text = field.text.as_str();
        [".delete_all", ".destroy_all", ".objects.all().delete()", "::truncate()"]
            .iter()
            .any(|own| text.contains(own))
            && !text.contains("where")
    });
    let own = model && (has("runner") || has("shell") || has("tinker") || has("-c") || has("--execute"))
        || words.iter().any(|word| has(word));
    let prisma = has("migrate") && has("reset")
        || has("db") && has("push") && (has("--force-reset") || has("--accept-data-loss"));
    let django = (file.ends_with("manage.py") || cmd.name == "django-admin" || cmd.name == "manage.py")
        && (has("flush") || has("reset_db") || has("sqlflush") || has("reset_schema"));
    let others = matches!(cmd.name, "flyway") && has("clean")
        || matches!(cmd.name, "liquibase") && (has("dropAll") || has("drop-all"))
        || matches!(cmd.name, "alembic") && has("downgrade") && has("base")
        || matches!(cmd.name, "diesel" | "sqlx") && has("database") && (has("reset") || has("drop"))
        || matches!(cmd.name, "goose" | "migrate") && (has("reset") || has("drop"))
        || matches!(cmd.name, "dotnet" | "dotnet-ef") && has("database") && has("drop")
        || matches!(cmd.name, "dbt") && has("--full-refresh")
        || matches!(cmd.name, "knex" | "npx") && has("migrate:rollback") && has("--all");
    if own || prisma || django || others {
        found(walk, cmd, &rule::DATABASE_DESTROY);
    }
}
