BEGIN TRANSACTION;
CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT NOT NULL);
INSERT INTO "about" VALUES('format','3');
INSERT INTO "about" VALUES('host','http://127.0.0.1:1');
INSERT INTO "about" VALUES('users','2fd809ab553d769a');
INSERT INTO "about" VALUES('sources','workspace');
INSERT INTO "about" VALUES('homes','users');
INSERT INTO "about" VALUES('files','none');
CREATE TABLE folder (
    source TEXT, path TEXT, user TEXT NOT NULL, state TEXT NOT NULL, reason TEXT NOT NULL,
    files INTEGER NOT NULL, size INTEGER NOT NULL, estimated INTEGER NOT NULL,
    largest_path TEXT, largest_size INTEGER, last_modified INTEGER,
    requests INTEGER NOT NULL, refusals INTEGER NOT NULL, seconds REAL NOT NULL, folders TEXT NOT NULL,
    exact INTEGER, kinds TEXT NOT NULL, months TEXT NOT NULL,
    PRIMARY KEY (source, path)
) WITHOUT ROWID;
INSERT INTO "folder" VALUES('workspace','/Users/student1a@campus.example.ac.il','student1a@campus.example.ac.il','listed','',6,30024,3,'/Users/student1a@campus.example.ac.il/data-2.csv',8,1920013200020,1,0,0.00186260400005267,'[]',NULL,'{"NOTEBOOK": [3, 30000], "FILE": [3, 24]}','{"2030-11": [6, 30024]}');
INSERT INTO "folder" VALUES('workspace','/Users/student2a@campus.example.ac.il','student2a@campus.example.ac.il','failed','403 PERMISSION_DENIED student1a@campus.example.ac.il does not have View permissions on /Users/student2a@campus.example.ac.il. Please contact the owner or an administrator for access.',0,0,0,NULL,NULL,NULL,1,0,0.000895440000022063,'[]',0,'{}','{}');
CREATE TABLE part (number INTEGER PRIMARY KEY, rows INTEGER NOT NULL);
CREATE TABLE root (source TEXT, path TEXT, user TEXT NOT NULL, PRIMARY KEY (source, path));
INSERT INTO "root" VALUES('workspace','/Users/student1a@campus.example.ac.il','student1a@campus.example.ac.il');
INSERT INTO "root" VALUES('workspace','/Users/student2a@campus.example.ac.il','student2a@campus.example.ac.il');
COMMIT;
