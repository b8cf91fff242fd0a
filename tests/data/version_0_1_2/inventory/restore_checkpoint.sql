BEGIN TRANSACTION;
CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT NOT NULL);
INSERT INTO "about" VALUES('format','3');
INSERT INTO "about" VALUES('host','http://127.0.0.1:1');
INSERT INTO "about" VALUES('users','all');
INSERT INTO "about" VALUES('sources','a restore of backup/127.0.0.1%3A36875/2030-11-05');
INSERT INTO "about" VALUES('homes','into their places');
INSERT INTO "about" VALUES('files','skip what is there');
CREATE TABLE folder (
    source TEXT, path TEXT, user TEXT NOT NULL, state TEXT NOT NULL, reason TEXT NOT NULL,
    files INTEGER NOT NULL, size INTEGER NOT NULL, estimated INTEGER NOT NULL,
    largest_path TEXT, largest_size INTEGER, last_modified INTEGER,
    requests INTEGER NOT NULL, refusals INTEGER NOT NULL, seconds REAL NOT NULL, folders TEXT NOT NULL,
    exact INTEGER, kinds TEXT NOT NULL, months TEXT NOT NULL,
    PRIMARY KEY (source, path)
) WITHOUT ROWID;
INSERT INTO "folder" VALUES('dbfs','/Users/student1a@campus.example.ac.il','student1a@campus.example.ac.il','listed','',0,0,0,NULL,NULL,NULL,0,0,0.0,'["/Users/student1a@campus.example.ac.il/data"]',0,'{}','{}');
INSERT INTO "folder" VALUES('dbfs','/Users/student1a@campus.example.ac.il/data','student1a@campus.example.ac.il','listed','',0,0,0,NULL,NULL,NULL,0,0,0.0,'[]',0,'{}','{}');
INSERT INTO "folder" VALUES('workspace','/Users/admin@lab.example','admin@lab.example','failed','1 objects could not be restored',0,0,0,NULL,NULL,NULL,0,0,0.0,'[]',0,'{}','{}');
INSERT INTO "folder" VALUES('workspace','/Users/student1a@campus.example.ac.il','student1a@campus.example.ac.il','listed','',0,0,0,NULL,NULL,NULL,0,0,0.0,'["/Users/student1a@campus.example.ac.il/empty", "/Users/student1a@campus.example.ac.il/project", "/Users/student1a@campus.example.ac.il/week 1"]',0,'{}','{}');
INSERT INTO "folder" VALUES('workspace','/Users/student1a@campus.example.ac.il/empty','student1a@campus.example.ac.il','listed','',0,0,0,NULL,NULL,NULL,0,0,0.0,'[]',0,'{}','{}');
INSERT INTO "folder" VALUES('workspace','/Users/student1a@campus.example.ac.il/project','student1a@campus.example.ac.il','listed','',0,0,0,NULL,NULL,NULL,0,0,0.0,'[]',0,'{}','{}');
INSERT INTO "folder" VALUES('workspace','/Users/student1a@campus.example.ac.il/week 1','student1a@campus.example.ac.il','listed','',0,0,0,NULL,NULL,NULL,0,0,0.0,'[]',0,'{}','{}');
INSERT INTO "folder" VALUES('workspace','/Users/student2a@campus.example.ac.il','student2a@campus.example.ac.il','failed','2 objects could not be restored',0,0,0,NULL,NULL,NULL,0,0,0.0,'[]',0,'{}','{}');
CREATE TABLE part (number INTEGER PRIMARY KEY, rows INTEGER NOT NULL);
CREATE TABLE root (source TEXT, path TEXT, user TEXT NOT NULL, PRIMARY KEY (source, path));
INSERT INTO "root" VALUES('dbfs','/Users/student1a@campus.example.ac.il','student1a@campus.example.ac.il');
INSERT INTO "root" VALUES('workspace','/Users/admin@lab.example','admin@lab.example');
INSERT INTO "root" VALUES('workspace','/Users/student1a@campus.example.ac.il','student1a@campus.example.ac.il');
INSERT INTO "root" VALUES('workspace','/Users/student2a@campus.example.ac.il','student2a@campus.example.ac.il');
COMMIT;
