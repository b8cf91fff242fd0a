"""The enforcer's database: tables, migrations, and all queries."""
