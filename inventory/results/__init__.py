"""From rows of folders to one row a user, and what reports and differences say of them. Pure: texts and values."""
