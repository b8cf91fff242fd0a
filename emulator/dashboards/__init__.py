"""Dashboards (AI/BI), which are objects in folders: their drafts, what is published, and the trash."""
