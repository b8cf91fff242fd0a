"""What the enforcer remembers: tables, migrations, and every query on them."""
