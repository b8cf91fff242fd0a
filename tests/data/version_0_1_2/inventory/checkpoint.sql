BEGIN TRANSACTION;
CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT NOT NULL);
INSERT INTO "about" VALUES('format','3');
INSERT INTO "about" VALUES('host','http://127.0.0.1:1');
INSERT INTO "about" VALUES('users','2fd809ab553d769a');
INSERT INTO "about" VALUES('sources','dbfs and workspace');
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
INSERT INTO "folder" VALUES('dbfs','/Users/student1a@campus.example.ac.il','student1a@campus.example.ac.il','listed','',0,0,0,NULL,NULL,NULL,1,0,7.3674394000136089744e-02,'["/Users/student1a@campus.example.ac.il/data"]',0,'{}','{}');
INSERT INTO "folder" VALUES('dbfs','/Users/student1a@campus.example.ac.il/data','student1a@campus.example.ac.il','listed','',1,12,0,'dbfs:/Users/student1a@campus.example.ac.il/data/part.csv',12,1920013200000,1,0,6.74643599995761178433e-03,'[]',12,'{"FILE": [1, 12]}','{"2030-11": [1, 12]}');
INSERT INTO "folder" VALUES('dbfs','/Users/student2a@campus.example.ac.il','student2a@campus.example.ac.il','missing','404 RESOURCE_DOES_NOT_EXIST No file or directory exists on path /Users/student2a@campus.example.ac.il.',0,0,0,NULL,NULL,NULL,1,0,6.38874989999749232083e-02,'[]',0,'{}','{}');
INSERT INTO "folder" VALUES('workspace','/Users/student1a@campus.example.ac.il','student1a@campus.example.ac.il','listed','',5,2030,0,'/Users/student1a@campus.example.ac.il/large.bin',2000,1920013200000,1,0,1.1544621999746595975e-02,'["/Users/student1a@campus.example.ac.il/week 1", "/Users/student1a@campus.example.ac.il/empty", "/Users/student1a@campus.example.ac.il/project"]',2030,'{"FILE": [5, 2030]}','{"2030-11": [5, 2030]}');
INSERT INTO "folder" VALUES('workspace','/Users/student1a@campus.example.ac.il/empty','student1a@campus.example.ac.il','listed','',0,0,0,NULL,NULL,NULL,1,0,6.37490739995882904622e-02,'[]',0,'{}','{}');
INSERT INTO "folder" VALUES('workspace','/Users/student1a@campus.example.ac.il/project','student1a@campus.example.ac.il','listed','',1,24,0,'/Users/student1a@campus.example.ac.il/project/main.py',24,1920013200000,1,0,6.42026890000124694779e-02,'[]',24,'{"FILE": [1, 24]}','{"2030-11": [1, 24]}');
INSERT INTO "folder" VALUES('workspace','/Users/student1a@campus.example.ac.il/week 1','student1a@campus.example.ac.il','listed','',2,20000,2,NULL,NULL,1920013200000,1,0,5.98679129998345160856e-02,'[]',NULL,'{"NOTEBOOK": [2, 20000]}','{"2030-11": [2, 20000]}');
INSERT INTO "folder" VALUES('workspace','/Users/student2a@campus.example.ac.il','student2a@campus.example.ac.il','failed','403 PERMISSION_DENIED student1a@campus.example.ac.il does not have View permissions on /Users/student2a@campus.example.ac.il. Please contact the owner or an administrator for access.',0,0,0,NULL,NULL,NULL,1,0,7.35463840001102653332e-02,'[]',0,'{}','{}');
CREATE TABLE part (number INTEGER PRIMARY KEY, rows INTEGER NOT NULL);
CREATE TABLE root (source TEXT, path TEXT, user TEXT NOT NULL, PRIMARY KEY (source, path));
INSERT INTO "root" VALUES('dbfs','/Users/student1a@campus.example.ac.il','student1a@campus.example.ac.il');
INSERT INTO "root" VALUES('workspace','/Users/student1a@campus.example.ac.il','student1a@campus.example.ac.il');
INSERT INTO "root" VALUES('dbfs','/Users/student2a@campus.example.ac.il','student2a@campus.example.ac.il');
INSERT INTO "root" VALUES('workspace','/Users/student2a@campus.example.ac.il','student2a@campus.example.ac.il');
COMMIT;
