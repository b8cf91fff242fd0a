--
-- PostgreSQL database dump
--

\restrict dGpPUbMEcEC6xS2HROakNfBfAY3DA1y85wUZ0rxVKboxZfidbnqVOvrMI8yAChP

-- Dumped from database version 15.18 (Debian 15.18-0+deb12u1)
-- Dumped by pg_dump version 15.18 (Debian 15.18-0+deb12u1)

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

SET default_tablespace = '';

SET default_table_access_method = heap;

--
-- Name: action; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.action (
    id integer NOT NULL,
    kind character varying(255) NOT NULL,
    cluster_id character varying(255) NOT NULL,
    group_name character varying(255) NOT NULL,
    reason text NOT NULL,
    day character varying(255) NOT NULL,
    noted bigint NOT NULL,
    done bigint,
    error text
);


--
-- Name: action_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

CREATE SEQUENCE public.action_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


--
-- Name: action_id_seq; Type: SEQUENCE OWNED BY; Schema: public; Owner: -
--

ALTER SEQUENCE public.action_id_seq OWNED BY public.action.id;


--
-- Name: cluster; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.cluster (
    cluster_id character varying(255) NOT NULL,
    name text NOT NULL,
    group_name character varying(255),
    course character varying(255) NOT NULL,
    term character varying(255) NOT NULL,
    moved text NOT NULL,
    events_read_to bigint NOT NULL,
    first_seen bigint NOT NULL,
    last_seen bigint NOT NULL,
    last_running bigint,
    last_since bigint,
    last_terminated bigint,
    is_running boolean NOT NULL,
    gone bigint
);


--
-- Name: day; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.day (
    cluster_id character varying(255) NOT NULL,
    day character varying(255) NOT NULL,
    group_name character varying(255) NOT NULL,
    used bigint NOT NULL,
    soft bigint,
    hard bigint,
    over bigint NOT NULL,
    shown_apart bigint NOT NULL,
    sessions integer NOT NULL,
    estimate boolean NOT NULL,
    imported boolean NOT NULL,
    settled bigint NOT NULL
);


--
-- Name: event; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.event (
    cluster_id character varying(255) NOT NULL,
    at bigint NOT NULL,
    type character varying(255) NOT NULL,
    user_name character varying(255) NOT NULL,
    workers integer,
    idle bigint,
    failed boolean NOT NULL,
    raw text NOT NULL
);


--
-- Name: file; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.file (
    path character varying(255) NOT NULL,
    version character varying(255) NOT NULL,
    content text NOT NULL
);


--
-- Name: letter; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.letter (
    id integer NOT NULL,
    operation_id character varying(255) NOT NULL,
    kind character varying(255) NOT NULL,
    period character varying(255) NOT NULL,
    first character varying(255) NOT NULL,
    about character varying(255) NOT NULL,
    "limit" bigint NOT NULL,
    part integer NOT NULL,
    rank integer NOT NULL,
    subject text NOT NULL,
    payload text NOT NULL,
    queued bigint NOT NULL,
    sealed bigint,
    has_copy boolean NOT NULL,
    wants_digest boolean NOT NULL,
    due bigint NOT NULL,
    attempts integer NOT NULL,
    last_failure bigint,
    failing bigint NOT NULL,
    is_unclear boolean NOT NULL,
    accepted bigint,
    given_up bigint,
    error text
);


--
-- Name: letter_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

CREATE SEQUENCE public.letter_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


--
-- Name: letter_id_seq; Type: SEQUENCE OWNED BY; Schema: public; Owner: -
--

ALTER SEQUENCE public.letter_id_seq OWNED BY public.letter.id;


--
-- Name: lowered; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.lowered (
    cluster_id character varying(255) NOT NULL,
    group_name character varying(255) NOT NULL,
    since bigint NOT NULL
);


--
-- Name: mail_call; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.mail_call (
    id integer NOT NULL,
    at bigint NOT NULL,
    kind character varying(255) NOT NULL
);


--
-- Name: mail_call_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

CREATE SEQUENCE public.mail_call_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


--
-- Name: mail_call_id_seq; Type: SEQUENCE OWNED BY; Schema: public; Owner: -
--

ALTER SEQUENCE public.mail_call_id_seq OWNED BY public.mail_call.id;


--
-- Name: migration; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.migration (
    name character varying(255) NOT NULL
);


--
-- Name: note; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.note (
    name character varying(255) NOT NULL,
    value text NOT NULL
);


--
-- Name: poll; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.poll (
    began bigint NOT NULL,
    ended bigint NOT NULL,
    failed integer NOT NULL,
    calls text NOT NULL
);


--
-- Name: session; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.session (
    cluster_id character varying(255) NOT NULL,
    start bigint NOT NULL,
    "end" bigint,
    started_by character varying(255),
    restarts text NOT NULL,
    workers text NOT NULL,
    estimate text,
    last_told bigint
);


--
-- Name: action id; Type: DEFAULT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.action ALTER COLUMN id SET DEFAULT nextval('public.action_id_seq'::regclass);


--
-- Name: letter id; Type: DEFAULT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.letter ALTER COLUMN id SET DEFAULT nextval('public.letter_id_seq'::regclass);


--
-- Name: mail_call id; Type: DEFAULT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.mail_call ALTER COLUMN id SET DEFAULT nextval('public.mail_call_id_seq'::regclass);


--
-- Data for Name: action; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.action VALUES (1, 'warn', '4411-452756-d8e2c473', 'group_01', 'day 180 minutes', '2030-11-03', 1919925900010, 1919925900010, NULL);
INSERT INTO public.action VALUES (2, 'restrict', '4411-452756-d8e2c473', 'group_01', 'day 180 minutes', '2030-11-03', 1919927700010, 1919927700010, NULL);
INSERT INTO public.action VALUES (3, 'stop', '4411-452756-d8e2c473', 'group_01', 'day 180 minutes', '2030-11-03', 1919927700010, 1919927700010, NULL);
INSERT INTO public.action VALUES (4, 'restore', '4411-452756-d8e2c473', 'group_01', '', '2030-11-04', 1919975400000, 1919975400000, NULL);
INSERT INTO public.action VALUES (5, 'warn', '4411-452756-d8e2c473', 'group_01', 'week 300 minutes', '2030-11-04', 1920011400020, 1920011400020, NULL);
INSERT INTO public.action VALUES (6, 'restrict', '4411-452756-d8e2c473', 'group_01', 'week 300 minutes', '2030-11-04', 1920013200020, 1920013200020, NULL);
INSERT INTO public.action VALUES (7, 'stop', '4411-452756-d8e2c473', 'group_01', 'week 300 minutes', '2030-11-04', 1920013200020, 1920013200020, NULL);


--
-- Data for Name: cluster; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.cluster VALUES ('0676-694829-1b91d6be', 'cluster_02', 'group_02', '94290', '2030w', '1919915940020:1920006000010::1920006002010', 1920013200020, 1919916900010, 1920013200020, 1920013200020, 1920006000010, NULL, true, NULL);
INSERT INTO public.cluster VALUES ('2561-116832-852e358e', 'cluster_03', 'group_03', '94290', '2030w', '1919915940040:1919970000000:1919975402000:1919970002000', 1920006900020, 1919916900010, 1920013200020, 1919975400000, 1919970000000, 1919975402000, false, NULL);
INSERT INTO public.cluster VALUES ('4411-452756-d8e2c473', 'cluster_01', 'group_01', '94290', '2030w', '1919915940000:1920006000000::1920006002000', 1920013200020, 1919916900010, 1920013200020, 1920013200020, 1920006000000, NULL, true, NULL);


--
-- Data for Name: day; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.day VALUES ('4411-452756-d8e2c473', '2030-11-03', 'group_01', 11698010, 9000000, 10800000, 898010, 0, 1, true, false, 1919975400000);
INSERT INTO public.day VALUES ('0676-694829-1b91d6be', '2030-11-03', 'group_02', 0, 9000000, 10800000, 0, 0, 0, true, false, 1919975400000);
INSERT INTO public.day VALUES ('2561-116832-852e358e', '2030-11-03', 'group_03', 3598000, 9000000, 10800000, 0, 0, 1, true, false, 1919975400000);


--
-- Data for Name: event; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.event VALUES ('4411-452756-d8e2c473', 1919915940000, 'CREATING', 'admin@lab.example', NULL, NULL, false, '{"cluster_id": "4411-452756-d8e2c473", "details": {"attributes": {"autotermination_minutes": 0, "azure_attributes": {"availability": "ON_DEMAND_AZURE", "first_on_demand": 1, "spot_bid_max_price": -1.0}, "cluster_name": "cluster_01", "custom_tags": {"lab_course": "94290", "lab_group": "group_01", "lab_term": "2030w", "origin": "terraform"}, "driver_node_type_id": "Standard_DS3_v2", "enable_elastic_disk": true, "enable_local_disk_encryption": false, "node_type_id": "Standard_DS3_v2", "spark_version": "15.4.x-scala2.12"}, "cluster_size": {"num_workers": 1}, "user": "admin@lab.example"}, "timestamp": 1919915940000, "type": "CREATING"}');
INSERT INTO public.event VALUES ('4411-452756-d8e2c473', 1919915940010, 'TERMINATING', 'admin@lab.example', NULL, NULL, false, '{"cluster_id": "4411-452756-d8e2c473", "details": {"reason": {"code": "USER_REQUEST", "parameters": {"username": "admin@lab.example"}, "type": "SUCCESS"}, "user": "admin@lab.example"}, "timestamp": 1919915940010, "type": "TERMINATING"}');
INSERT INTO public.event VALUES ('4411-452756-d8e2c473', 1919916000000, 'STARTING', 'student1a@campus.example.ac.il', NULL, NULL, false, '{"cluster_id": "4411-452756-d8e2c473", "details": {"cluster_size": {"num_workers": 1}, "user": "student1a@campus.example.ac.il"}, "timestamp": 1919916000000, "type": "STARTING"}');
INSERT INTO public.event VALUES ('4411-452756-d8e2c473', 1919916002000, 'RUNNING', 'student1a@campus.example.ac.il', 1, NULL, false, '{"cluster_id": "4411-452756-d8e2c473", "details": {"current_num_workers": 1, "target_num_workers": 1, "user": "student1a@campus.example.ac.il"}, "timestamp": 1919916002000, "type": "RUNNING"}');
INSERT INTO public.event VALUES ('4411-452756-d8e2c473', 1919916002000, 'DRIVER_HEALTHY', '', NULL, NULL, false, '{"cluster_id": "4411-452756-d8e2c473", "details": {}, "timestamp": 1919916002000, "type": "DRIVER_HEALTHY"}');
INSERT INTO public.event VALUES ('0676-694829-1b91d6be', 1919915940020, 'CREATING', 'admin@lab.example', NULL, NULL, false, '{"cluster_id": "0676-694829-1b91d6be", "details": {"attributes": {"autotermination_minutes": 0, "azure_attributes": {"availability": "ON_DEMAND_AZURE", "first_on_demand": 1, "spot_bid_max_price": -1.0}, "cluster_name": "cluster_02", "custom_tags": {"lab_course": "94290", "lab_group": "group_02", "lab_term": "2030w", "origin": "terraform"}, "driver_node_type_id": "Standard_DS3_v2", "enable_elastic_disk": true, "enable_local_disk_encryption": false, "node_type_id": "Standard_DS3_v2", "spark_version": "15.4.x-scala2.12"}, "cluster_size": {"num_workers": 1}, "user": "admin@lab.example"}, "timestamp": 1919915940020, "type": "CREATING"}');
INSERT INTO public.event VALUES ('0676-694829-1b91d6be', 1919915940030, 'TERMINATING', 'admin@lab.example', NULL, NULL, false, '{"cluster_id": "0676-694829-1b91d6be", "details": {"reason": {"code": "USER_REQUEST", "parameters": {"username": "admin@lab.example"}, "type": "SUCCESS"}, "user": "admin@lab.example"}, "timestamp": 1919915940030, "type": "TERMINATING"}');
INSERT INTO public.event VALUES ('2561-116832-852e358e', 1919915940040, 'CREATING', 'admin@lab.example', NULL, NULL, false, '{"cluster_id": "2561-116832-852e358e", "details": {"attributes": {"autotermination_minutes": 0, "azure_attributes": {"availability": "ON_DEMAND_AZURE", "first_on_demand": 1, "spot_bid_max_price": -1.0}, "cluster_name": "cluster_03", "custom_tags": {"lab_course": "94290", "lab_group": "group_03", "lab_term": "2030w", "origin": "terraform"}, "driver_node_type_id": "Standard_DS3_v2", "enable_elastic_disk": true, "enable_local_disk_encryption": false, "node_type_id": "Standard_DS3_v2", "spark_version": "15.4.x-scala2.12"}, "cluster_size": {"num_workers": 1}, "user": "admin@lab.example"}, "timestamp": 1919915940040, "type": "CREATING"}');
INSERT INTO public.event VALUES ('2561-116832-852e358e', 1919915940050, 'TERMINATING', 'admin@lab.example', NULL, NULL, false, '{"cluster_id": "2561-116832-852e358e", "details": {"reason": {"code": "USER_REQUEST", "parameters": {"username": "admin@lab.example"}, "type": "SUCCESS"}, "user": "admin@lab.example"}, "timestamp": 1919915940050, "type": "TERMINATING"}');
INSERT INTO public.event VALUES ('4411-452756-d8e2c473', 1919927700010, 'TERMINATING', 'admin@lab.example', NULL, NULL, false, '{"cluster_id": "4411-452756-d8e2c473", "details": {"reason": {"code": "USER_REQUEST", "parameters": {"username": "admin@lab.example"}, "type": "SUCCESS"}, "user": "admin@lab.example"}, "timestamp": 1919927700010, "type": "TERMINATING"}');
INSERT INTO public.event VALUES ('2561-116832-852e358e', 1919970000000, 'STARTING', 'student3a@campus.example.ac.il', NULL, NULL, false, '{"cluster_id": "2561-116832-852e358e", "details": {"cluster_size": {"num_workers": 1}, "user": "student3a@campus.example.ac.il"}, "timestamp": 1919970000000, "type": "STARTING"}');
INSERT INTO public.event VALUES ('2561-116832-852e358e', 1919970002000, 'RUNNING', 'student3a@campus.example.ac.il', 1, NULL, false, '{"cluster_id": "2561-116832-852e358e", "details": {"current_num_workers": 1, "target_num_workers": 1, "user": "student3a@campus.example.ac.il"}, "timestamp": 1919970002000, "type": "RUNNING"}');
INSERT INTO public.event VALUES ('2561-116832-852e358e', 1919970002000, 'DRIVER_HEALTHY', '', NULL, NULL, false, '{"cluster_id": "2561-116832-852e358e", "details": {}, "timestamp": 1919970002000, "type": "DRIVER_HEALTHY"}');
INSERT INTO public.event VALUES ('4411-452756-d8e2c473', 1920006000000, 'STARTING', 'student1a@campus.example.ac.il', NULL, NULL, false, '{"cluster_id": "4411-452756-d8e2c473", "details": {"cluster_size": {"num_workers": 1}, "user": "student1a@campus.example.ac.il"}, "timestamp": 1920006000000, "type": "STARTING"}');
INSERT INTO public.event VALUES ('4411-452756-d8e2c473', 1920006002000, 'RUNNING', 'student1a@campus.example.ac.il', 1, NULL, false, '{"cluster_id": "4411-452756-d8e2c473", "details": {"current_num_workers": 1, "target_num_workers": 1, "user": "student1a@campus.example.ac.il"}, "timestamp": 1920006002000, "type": "RUNNING"}');
INSERT INTO public.event VALUES ('4411-452756-d8e2c473', 1920006002000, 'DRIVER_HEALTHY', '', NULL, NULL, false, '{"cluster_id": "4411-452756-d8e2c473", "details": {}, "timestamp": 1920006002000, "type": "DRIVER_HEALTHY"}');
INSERT INTO public.event VALUES ('0676-694829-1b91d6be', 1920006000010, 'STARTING', 'student2a@campus.example.ac.il', NULL, NULL, false, '{"cluster_id": "0676-694829-1b91d6be", "details": {"cluster_size": {"num_workers": 1}, "user": "student2a@campus.example.ac.il"}, "timestamp": 1920006000010, "type": "STARTING"}');
INSERT INTO public.event VALUES ('0676-694829-1b91d6be', 1920006002010, 'RUNNING', 'student2a@campus.example.ac.il', 1, NULL, false, '{"cluster_id": "0676-694829-1b91d6be", "details": {"current_num_workers": 1, "target_num_workers": 1, "user": "student2a@campus.example.ac.il"}, "timestamp": 1920006002010, "type": "RUNNING"}');
INSERT INTO public.event VALUES ('0676-694829-1b91d6be', 1920006002010, 'DRIVER_HEALTHY', '', NULL, NULL, false, '{"cluster_id": "0676-694829-1b91d6be", "details": {}, "timestamp": 1920006002010, "type": "DRIVER_HEALTHY"}');
INSERT INTO public.event VALUES ('2561-116832-852e358e', 1919975400000, 'TERMINATING', 'admin@lab.example', NULL, NULL, false, '{"cluster_id": "2561-116832-852e358e", "details": {"reason": {"code": "USER_REQUEST", "parameters": {"username": "admin@lab.example"}, "type": "SUCCESS"}, "user": "admin@lab.example"}, "timestamp": 1919975400000, "type": "TERMINATING"}');


--
-- Data for Name: file; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.file VALUES ('/lab-94290-2030w/course.json', '2288091368364922:1919915940060:826', '{"version": 1, "course": "94290", "term": "2030w", "title": "Data Engineering", "timezone": "Asia/Jerusalem", "first_day": "2030-10-20", "last_day": "2031-01-31", "first_weekday": "Sunday", "count_all_sessions": false, "groups": [{"name": "group_01", "number": 1, "moodle_id": "1001", "title": "Team 1", "limits": {"soft_minutes": 150, "hard_minutes": 180, "week_minutes": 300, "term_minutes": null}}, {"name": "group_02", "number": 2, "moodle_id": "1002", "title": "Team 2", "limits": {"soft_minutes": 150, "hard_minutes": 180, "week_minutes": 300, "term_minutes": null}}, {"name": "group_03", "number": 3, "moodle_id": "1003", "title": "Team 3", "limits": {"soft_minutes": 150, "hard_minutes": 180, "week_minutes": 300, "term_minutes": null}}], "checksum": "792639440e097777011c087d023737c14da68460e8e55eb1235c0cac9732697b"}');
INSERT INTO public.file VALUES ('/lab-94290-2030w/allowances/20301103T093000Z-05cfb400.json', '298883088782866:1919928600010:270', '{
  "version": 1,
  "id": "20301103T093000Z-05cfb400",
  "group": "group_02",
  "first_day": "2030-11-04",
  "last_day": "2030-11-04",
  "minutes": 60,
  "reason": "project deadline",
  "given_by": "admin@lab.example",
  "given_at": "2030-11-03T09:30:00.010000+00:00"
}
');
INSERT INTO public.file VALUES ('/lab-94290-2030w/allowances/20301103T093000Z-681b370a.json', '4808760913733369:1919928600010:257', '{
  "version": 1,
  "id": "20301103T093000Z-681b370a",
  "group": "group_03",
  "first_day": "2030-11-05",
  "last_day": "2030-11-05",
  "none": true,
  "reason": "exam",
  "given_by": "admin@lab.example",
  "given_at": "2030-11-03T09:30:00.010000+00:00"
}
');


--
-- Data for Name: letter; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.letter VALUES (1, 'da6e5307-fa69-51bd-8420-fb8392033d1b', 'warning', 'day', '2030-11-03', '4411-452756-d8e2c473', 10800000, 0, 2, 'Data Engineering: 16 minutes of cluster time left for Team 1', '{"senderAddress": "lab@lab.example", "content": {"subject": "Data Engineering: 16 minutes of cluster time left for Team 1", "plainText": "\u2068Team 1\u2069, your cluster \u2068cluster_01\u2069 has been running for 164 minutes on Sunday, 03 November 2030.\n\nUsed:          164 minutes\nLimit:         180 minutes\nLeft:          16 minutes\nCounted anew:  Monday, 04 November 2030 at 00:00\n\nWhat to do:\n- Save your work. When the limit is reached the cluster is turned off, whoever is working on it. Notebooks and files\n  stay; variables and what is only in memory do not.\n- Terminate the cluster when nobody needs it (Compute, your cluster, Terminate): the minutes that are left stay yours.\n- If you need more time for a reason, ask the course staff before the limit is reached: admin@lab.example.\n", "html": "<!DOCTYPE html>\n<html lang=\"en\" dir=\"ltr\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>Data Engineering: 16 minutes of cluster time left for Team 1</title>\n</head>\n<body style=\"margin: 0; padding: 24px 12px; background: #f4f5f7; color: #1f2933; font: 16px/1.5 system-ui, ''Segoe UI'', Arial, sans-serif;\">\n<div style=\"max-width: 600px; margin: 0 auto; padding: 24px; background: #ffffff; border: 1px solid #d9dee5; border-radius: 8px;\">\n<h1 style=\"margin: 0 0 12px; font-size: 20px; color: #8d5b00;\">16 minutes of cluster time left</h1>\n<p><strong><bdi>Team 1</bdi></strong>, <bdi>Data Engineering</bdi>: your cluster is near its limit.</p>\n<table role=\"presentation\" style=\"border-collapse: collapse; margin: 16px 0;\">\n<tr><td style=\"padding: 4px 16px 4px 0; color: #52606d;\">Cluster</td><td style=\"padding: 4px 0;\"><bdi>cluster_01</bdi></td></tr>\n<tr><td style=\"padding: 4px 16px 4px 0; color: #52606d;\">Used</td><td style=\"padding: 4px 0;\"><strong>164 minutes</strong> on Sunday, 03 November 2030</td></tr>\n<tr><td style=\"padding: 4px 16px 4px 0; color: #52606d;\">Limit</td><td style=\"padding: 4px 0;\"><strong>180 minutes</strong></td></tr>\n<tr><td style=\"padding: 4px 16px 4px 0; color: #52606d;\">Counted anew</td><td style=\"padding: 4px 0;\">Monday, 04 November 2030 at 00:00</td></tr>\n</table><ul style=\"padding-inline-start: 20px;\">\n<li>Save your work. When the limit is reached the cluster is turned off, whoever is working on it. Notebooks and files stay; variables and what is only in memory do not.</li>\n<li>Terminate the cluster when nobody needs it (Compute, your cluster, Terminate): the minutes that are left stay yours.</li>\n<li>If you need more time for a reason, ask the course staff before the limit is reached: <bdi>admin@lab.example</bdi>.</li>\n</ul>\n</div>\n</body>\n</html>\n"}, "recipients": {"to": [{"address": "student1a@campus.example.ac.il"}, {"address": "student1b@campus.example.ac.il"}], "cc": [{"address": "admin@lab.example"}]}, "replyTo": [{"address": "admin@lab.example"}], "attachments": [], "userEngagementTrackingDisabled": true}', 1919925900010, 1919925900010, true, false, 1919925900010, 1, NULL, 0, false, 1919925900128, NULL, NULL);
INSERT INTO public.letter VALUES (2, '7f8dc874-a16f-5ca5-a080-e976f94e8c69', 'stopped', 'day', '2030-11-03', '4411-452756-d8e2c473', 10800000, 0, 0, 'Data Engineering: the cluster of Team 1 is off, its limit is reached', '{"senderAddress": "lab@lab.example", "content": {"subject": "Data Engineering: the cluster of Team 1 is off, its limit is reached", "plainText": "\u2068Team 1\u2069, the limit of your cluster \u2068cluster_01\u2069 is reached. It is off, and your group cannot start it until the limit is counted anew.\n\nUsed:          194 minutes on Sunday, 03 November 2030\nLimit:         180 minutes\nCounted anew:  Monday, 04 November 2030 at 00:00\n\nWhat to do:\n- Nothing is lost: notebooks and files are where they were, and you can open and edit them.\n- From Monday, 04 November 2030 at 00:00 on you can start the cluster again yourselves.\n- If you need more time for a reason, ask the course staff: admin@lab.example.\n", "html": "<!DOCTYPE html>\n<html lang=\"en\" dir=\"ltr\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>Data Engineering: the cluster of Team 1 is off, its limit is reached</title>\n</head>\n<body style=\"margin: 0; padding: 24px 12px; background: #f4f5f7; color: #1f2933; font: 16px/1.5 system-ui, ''Segoe UI'', Arial, sans-serif;\">\n<div style=\"max-width: 600px; margin: 0 auto; padding: 24px; background: #ffffff; border: 1px solid #d9dee5; border-radius: 8px;\">\n<h1 style=\"margin: 0 0 12px; font-size: 20px; color: #a61b1b;\">The cluster is off: its limit is reached</h1>\n<p><strong><bdi>Team 1</bdi></strong>, <bdi>Data Engineering</bdi>: your group cannot start its cluster until the limit is counted anew.</p>\n<table role=\"presentation\" style=\"border-collapse: collapse; margin: 16px 0;\">\n<tr><td style=\"padding: 4px 16px 4px 0; color: #52606d;\">Cluster</td><td style=\"padding: 4px 0;\"><bdi>cluster_01</bdi></td></tr>\n<tr><td style=\"padding: 4px 16px 4px 0; color: #52606d;\">Used</td><td style=\"padding: 4px 0;\"><strong>194 minutes</strong> on Sunday, 03 November 2030</td></tr>\n<tr><td style=\"padding: 4px 16px 4px 0; color: #52606d;\">Limit</td><td style=\"padding: 4px 0;\"><strong>180 minutes</strong></td></tr>\n<tr><td style=\"padding: 4px 16px 4px 0; color: #52606d;\">Counted anew</td><td style=\"padding: 4px 0;\">Monday, 04 November 2030 at 00:00</td></tr>\n</table><ul style=\"padding-inline-start: 20px;\">\n<li>Nothing is lost: notebooks and files are where they were, and you can open and edit them.</li>\n<li>From Monday, 04 November 2030 at 00:00 on you can start the cluster again yourselves.</li>\n<li>If you need more time for a reason, ask the course staff: <bdi>admin@lab.example</bdi>.</li>\n</ul>\n</div>\n</body>\n</html>\n"}, "recipients": {"to": [{"address": "student1a@campus.example.ac.il"}, {"address": "student1b@campus.example.ac.il"}], "cc": [{"address": "admin@lab.example"}]}, "replyTo": [{"address": "admin@lab.example"}], "attachments": [], "userEngagementTrackingDisabled": true}', 1919927700010, 1919927700010, true, false, 1919927700010, 1, NULL, 0, false, 1919927700138, NULL, NULL);
INSERT INTO public.letter VALUES (3, '8d9c0cfb-07b8-56d4-bf16-c4b962db9059', 'report', 'day', '2030-11-03', '94290 2030w 2030-11-03', 0, 0, 5, 'Data Engineering, Sun 03 Nov 2030: 2 of 3 clusters ran, 1 stopped at the limit, polls were missing', '{"senderAddress": "lab@lab.example", "content": {"subject": "Data Engineering, Sun 03 Nov 2030: 2 of 3 clusters ran, 1 stopped at the limit, polls were missing", "plainText": "\u2068Data Engineering\u2069: Sunday, 03 November 2030\n\n4.2 hours were used by 2 of 3 clusters in 2 sessions; 1 warned, 1 stopped, 15.0 minutes past limits.\nPolls: 15 seen, 62 expected at the least; the longest time without one was 690 minutes.\n\n\u2068group_01\u2069 (\u2068Team 1\u2069): about 194 of \u2068180 minutes\u2069; 1 session, 08:00 to 11:15; warned 10:45; stopped 11:15; 15.0 minutes past the limit\n\u2068group_02\u2069 (\u2068Team 2\u2069): about 0 of \u2068180 minutes\u2069\n\u2068group_03\u2069 (\u2068Team 3\u2069): about 59 of \u2068180 minutes\u2069; 1 session, 23:00 to after midnight\nEstimate, \u2068group_01\u2069: whether it reached RUNNING was not among the events.\nEstimate, \u2068group_02\u2069: whether it reached RUNNING was not among the events.\nEstimate, \u2068group_03\u2069: whether it reached RUNNING was not among the events.\n", "html": "<!DOCTYPE html>\n<html lang=\"en\" dir=\"ltr\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>Data Engineering, Sun 03 Nov 2030: 2 of 3 clusters ran, 1 stopped at the limit, polls were missing</title>\n<style>\n.label { display: none; }\n@media screen and (max-width: 760px) {\n  thead { display: none !important; }\n  table.days, .days tbody, .days tfoot, .days tr, .days td { display: block !important; width: auto !important; }\n  .days tr { padding: 10px 0 !important; border-bottom: 2px solid #cbd2d9 !important; }\n  .days td { padding: 1px 0 !important; border: 0 !important; text-align: start !important; }\n  .days td.empty { display: none !important; }\n  .label { display: inline-block !important; min-width: 10.5em; color: #52606d; font-weight: 400; }\n}\n@media print {\n  @page { size: A4 landscape; margin: 12mm; }\n  body { background: #ffffff !important; padding: 0 !important; font-size: 10pt !important; }\n  .sheet { border: 0 !important; padding: 0 !important; max-width: none !important; }\n  tr, img { break-inside: avoid; }\n}\n</style>\n</head>\n<body style=\"margin: 0; padding: 20px 10px; background: #f4f5f7; color: #1f2933; font: 14px/1.45 system-ui, ''Segoe UI'', Arial, sans-serif;\">\n<div class=\"sheet\" style=\"max-width: 1120px; margin: 0 auto; padding: 20px; background: #ffffff; border: 1px solid #d9dee5; border-radius: 8px;\">\n<h1 style=\"margin: 0; font-size: 22px;\"><bdi>Data Engineering</bdi></h1>\n<p style=\"margin: 2px 0 14px; color: #52606d; font-size: 16px;\">Sunday, 03 November 2030</p>\n<p style=\"margin: 0 0 6px;\"><strong>4.2 hours</strong> were used by <strong>2 of 3 clusters</strong> in 2 sessions. 1 warned, 1 stopped, 15.0 minutes past limits.</p>\n<p style=\"margin: 0 0 14px; color: #a61b1b; font-weight: 600;\">Polls: 15 seen, 62 expected at the least; the longest time without one was 690 minutes.</p>\n<p style=\"margin: 0 0 14px;\"><img src=\"cid:day-picture\" alt=\"Minutes used by each cluster, with marks at its soft and hard limits; the table says the same.\" style=\"display: block; width: 100%; max-width: 946px; height: auto;\"></p>\n<table class=\"days\" style=\"border-collapse: collapse; width: 100%; font-size: 13px;\">\n<thead>\n<tr>\n<th style=\"padding: 6px 10px; border-bottom: 2px solid #9aa5b1; color: #52606d; font-weight: 600; vertical-align: bottom; text-align: start;\">Group</th>\n<th style=\"padding: 6px 10px; border-bottom: 2px solid #9aa5b1; color: #52606d; font-weight: 600; vertical-align: bottom; text-align: end;\">Used, min</th>\n<th style=\"padding: 6px 10px; border-bottom: 2px solid #9aa5b1; color: #52606d; font-weight: 600; vertical-align: bottom; text-align: start;\">Limit</th>\n<th style=\"padding: 6px 10px; border-bottom: 2px solid #9aa5b1; color: #52606d; font-weight: 600; vertical-align: bottom; text-align: end;\">Sessions</th>\n<th style=\"padding: 6px 10px; border-bottom: 2px solid #9aa5b1; color: #52606d; font-weight: 600; vertical-align: bottom; text-align: start;\">First start</th>\n<th style=\"padding: 6px 10px; border-bottom: 2px solid #9aa5b1; color: #52606d; font-weight: 600; vertical-align: bottom; text-align: start;\">Last stop</th>\n<th style=\"padding: 6px 10px; border-bottom: 2px solid #9aa5b1; color: #52606d; font-weight: 600; vertical-align: bottom; text-align: start;\">Warned</th>\n<th style=\"padding: 6px 10px; border-bottom: 2px solid #9aa5b1; color: #52606d; font-weight: 600; vertical-align: bottom; text-align: start;\">Stopped</th>\n<th style=\"padding: 6px 10px; border-bottom: 2px solid #9aa5b1; color: #52606d; font-weight: 600; vertical-align: bottom; text-align: end;\">Past limit, min</th>\n<th style=\"padding: 6px 10px; border-bottom: 2px solid #9aa5b1; color: #52606d; font-weight: 600; vertical-align: bottom; text-align: end;\">Not counted, min</th>\n</tr>\n</thead>\n<tbody>\n<tr style=\"background: #fdf1f0;\">\n<td style=\"padding: 6px 10px; border-bottom: 1px solid #e4e7eb; text-align: start; vertical-align: top;\"><strong><bdi>group_01</bdi></strong><br><bdi style=\"color: #52606d;\">Team 1</bdi></td>\n<td style=\"padding: 6px 10px; border-bottom: 1px solid #e4e7eb; text-align: end; vertical-align: top; font-variant-numeric: tabular-nums; white-space: nowrap;\"><span class=\"label\">Used, min </span>\u2248 194 <span style=\"color: #52606d;\">(108 %)</span></td>\n<td style=\"padding: 6px 10px; border-bottom: 1px solid #e4e7eb; text-align: start; vertical-align: top;\"><span class=\"label\">Limit </span><bdi>180 minutes</bdi></td>\n<td style=\"padding: 6px 10px; border-bottom: 1px solid #e4e7eb; text-align: end; vertical-align: top; font-variant-numeric: tabular-nums;\"><span class=\"label\">Sessions </span>1</td>\n<td style=\"padding: 6px 10px; border-bottom: 1px solid #e4e7eb; text-align: start; vertical-align: top;\"><span class=\"label\">First start </span>08:00</td>\n<td style=\"padding: 6px 10px; border-bottom: 1px solid #e4e7eb; text-align: start; vertical-align: top;\"><span class=\"label\">Last stop </span>11:15</td>\n<td style=\"padding: 6px 10px; border-bottom: 1px solid #e4e7eb; text-align: start; vertical-align: top;\"><span class=\"label\">Warned </span>10:45</td>\n<td style=\"padding: 6px 10px; border-bottom: 1px solid #e4e7eb; text-align: start; vertical-align: top;\"><span class=\"label\">Stopped </span>11:15</td>\n<td style=\"padding: 6px 10px; border-bottom: 1px solid #e4e7eb; text-align: end; vertical-align: top; font-variant-numeric: tabular-nums;\"><span class=\"label\">Past limit, min </span>15.0</td>\n<td style=\"padding: 6px 10px; border-bottom: 1px solid #e4e7eb; text-align: end; vertical-align: top; font-variant-numeric: tabular-nums;\" class=\"empty\"><span class=\"label\">Not counted, min </span></td>\n</tr>\n<tr>\n<td style=\"padding: 6px 10px; border-bottom: 1px solid #e4e7eb; text-align: start; vertical-align: top;\"><strong><bdi>group_02</bdi></strong><br><bdi style=\"color: #52606d;\">Team 2</bdi></td>\n<td style=\"padding: 6px 10px; border-bottom: 1px solid #e4e7eb; text-align: end; vertical-align: top; font-variant-numeric: tabular-nums; white-space: nowrap;\"><span class=\"label\">Used, min </span>\u2248 0 <span style=\"color: #52606d;\">(0 %)</span></td>\n<td style=\"padding: 6px 10px; border-bottom: 1px solid #e4e7eb; text-align: start; vertical-align: top;\"><span class=\"label\">Limit </span><bdi>180 minutes</bdi></td>\n<td style=\"padding: 6px 10px; border-bottom: 1px solid #e4e7eb; text-align: end; vertical-align: top; font-variant-numeric: tabular-nums;\" class=\"empty\"><span class=\"label\">Sessions </span></td>\n<td style=\"padding: 6px 10px; border-bottom: 1px solid #e4e7eb; text-align: start; vertical-align: top;\" class=\"empty\"><span class=\"label\">First start </span></td>\n<td style=\"padding: 6px 10px; border-bottom: 1px solid #e4e7eb; text-align: start; vertical-align: top;\" class=\"empty\"><span class=\"label\">Last stop </span></td>\n<td style=\"padding: 6px 10px; border-bottom: 1px solid #e4e7eb; text-align: start; vertical-align: top;\" class=\"empty\"><span class=\"label\">Warned </span></td>\n<td style=\"padding: 6px 10px; border-bottom: 1px solid #e4e7eb; text-align: start; vertical-align: top;\" class=\"empty\"><span class=\"label\">Stopped </span></td>\n<td style=\"padding: 6px 10px; border-bottom: 1px solid #e4e7eb; text-align: end; vertical-align: top; font-variant-numeric: tabular-nums;\" class=\"empty\"><span class=\"label\">Past limit, min </span></td>\n<td style=\"padding: 6px 10px; border-bottom: 1px solid #e4e7eb; text-align: end; vertical-align: top; font-variant-numeric: tabular-nums;\" class=\"empty\"><span class=\"label\">Not counted, min </span></td>\n</tr>\n<tr>\n<td style=\"padding: 6px 10px; border-bottom: 1px solid #e4e7eb; text-align: start; vertical-align: top;\"><strong><bdi>group_03</bdi></strong><br><bdi style=\"color: #52606d;\">Team 3</bdi></td>\n<td style=\"padding: 6px 10px; border-bottom: 1px solid #e4e7eb; text-align: end; vertical-align: top; font-variant-numeric: tabular-nums; white-space: nowrap;\"><span class=\"label\">Used, min </span>\u2248 59 <span style=\"color: #52606d;\">(33 %)</span></td>\n<td style=\"padding: 6px 10px; border-bottom: 1px solid #e4e7eb; text-align: start; vertical-align: top;\"><span class=\"label\">Limit </span><bdi>180 minutes</bdi></td>\n<td style=\"padding: 6px 10px; border-bottom: 1px solid #e4e7eb; text-align: end; vertical-align: top; font-variant-numeric: tabular-nums;\"><span class=\"label\">Sessions </span>1</td>\n<td style=\"padding: 6px 10px; border-bottom: 1px solid #e4e7eb; text-align: start; vertical-align: top;\"><span class=\"label\">First start </span>23:00</td>\n<td style=\"padding: 6px 10px; border-bottom: 1px solid #e4e7eb; text-align: start; vertical-align: top;\"><span class=\"label\">Last stop </span>after midnight</td>\n<td style=\"padding: 6px 10px; border-bottom: 1px solid #e4e7eb; text-align: start; vertical-align: top;\" class=\"empty\"><span class=\"label\">Warned </span></td>\n<td style=\"padding: 6px 10px; border-bottom: 1px solid #e4e7eb; text-align: start; vertical-align: top;\" class=\"empty\"><span class=\"label\">Stopped </span></td>\n<td style=\"padding: 6px 10px; border-bottom: 1px solid #e4e7eb; text-align: end; vertical-align: top; font-variant-numeric: tabular-nums;\" class=\"empty\"><span class=\"label\">Past limit, min </span></td>\n<td style=\"padding: 6px 10px; border-bottom: 1px solid #e4e7eb; text-align: end; vertical-align: top; font-variant-numeric: tabular-nums;\" class=\"empty\"><span class=\"label\">Not counted, min </span></td>\n</tr>\n</tbody>\n<tfoot>\n<tr style=\"font-weight: 600;\">\n<td style=\"padding: 6px 10px; border-bottom: 1px solid #e4e7eb; text-align: start; vertical-align: top;\">Together</td>\n<td style=\"padding: 6px 10px; border-bottom: 1px solid #e4e7eb; text-align: end; vertical-align: top; font-variant-numeric: tabular-nums;\"><span class=\"label\">Used, min </span>254</td>\n<td style=\"padding: 6px 10px; border-bottom: 1px solid #e4e7eb; text-align: start; vertical-align: top;\" class=\"empty\"></td>\n<td style=\"padding: 6px 10px; border-bottom: 1px solid #e4e7eb; text-align: end; vertical-align: top; font-variant-numeric: tabular-nums;\"><span class=\"label\">Sessions </span>2</td>\n<td style=\"padding: 6px 10px; border-bottom: 1px solid #e4e7eb; text-align: start; vertical-align: top;\" class=\"empty\"></td>\n<td style=\"padding: 6px 10px; border-bottom: 1px solid #e4e7eb; text-align: start; vertical-align: top;\" class=\"empty\"></td>\n<td style=\"padding: 6px 10px; border-bottom: 1px solid #e4e7eb; text-align: start; vertical-align: top;\"><span class=\"label\">Warned </span>1</td>\n<td style=\"padding: 6px 10px; border-bottom: 1px solid #e4e7eb; text-align: start; vertical-align: top;\"><span class=\"label\">Stopped </span>1</td>\n<td style=\"padding: 6px 10px; border-bottom: 1px solid #e4e7eb; text-align: end; vertical-align: top; font-variant-numeric: tabular-nums;\"><span class=\"label\">Past limit, min </span>15.0</td>\n<td style=\"padding: 6px 10px; border-bottom: 1px solid #e4e7eb; text-align: end; vertical-align: top; font-variant-numeric: tabular-nums;\" class=\"empty\"><span class=\"label\">Not counted, min </span></td>\n</tr>\n</tfoot>\n</table>\n<p style=\"margin: 14px 0 0; color: #52606d; font-size: 13px;\">\u2248 is an estimate:</p>\n<ul style=\"margin: 4px 0 0; padding-inline-start: 20px; color: #52606d; font-size: 13px;\">\n<li><bdi>group_01</bdi>: whether it reached RUNNING was not among the events</li>\n<li><bdi>group_02</bdi>: whether it reached RUNNING was not among the events</li>\n<li><bdi>group_03</bdi>: whether it reached RUNNING was not among the events</li>\n</ul>\n</div>\n</body>\n</html>\n"}, "recipients": {"to": [{"address": "teacher@lab.example"}], "cc": []}, "replyTo": [], "attachments": [{"name": "report-2030-11-03.png", "contentType": "image/png", "contentInBase64": "iVBORw0KGgoAAAANSUhEUgAAA7IAAADsCAYAAABJ7JruAAAACXBIWXMAABDrAAAQ6wFQlOh8AABF/ElEQVR4nO3deXwN1/8/8Jckssq+LyRIQkgiiGgsTZCksdZaO42ttdVSVFrVop9SSj/Kh5YilGprra1qK6WopYJYIkgIiSQiCdm38/vDL/M1uTfJFdmuvJ6Ph8fDOXPmzHvm3Jl735mtjhBCgIiIiIiIiEhNaFR3AEREREREREQvg4ksERERERERqRUmskRERERERKRWmMgSERERERGRWmEiS0RERERERGqFiSwRERERERGpFSayREREREREpFaYyBIREREREZFaYSJLREREREREaoWJLBEREREREakVJrJEVSwvLw8xMTEoKCio7lBIRdnZ2YiJianwfnNzcxETE4PCwkKl5Yrql6gy8ZhWuQoKCvDw4UMkJiaq1P7p06eIi4srsVxeFdVPbZCWlob4+PgqXebjx4/x+PHjEqcnJSUhOTm5xHJ5VVQ/ROWhVd0B0Ovr672PcCcht8qW19haGzN62lTZ8srrzp07cHNzQ3x8PGxsqi7eW0vmI+NOVJUtz6CxC1xnzq2y5akiJycH8fHxcHR0RJ06dVRuc/bsWXTq1Al5eXnQ0qq4w+aVK1fQpk0bpKSkwMTERKFcUf2qst6VJTY+Gdk5VXcc0NXRRn1b8ypbXpHq3MblUZHxVtcxrTbYtm0bxo4dC0NDQ3Tt2hVff/010tPTYWdnV+I869evxw8//ICIiAil5fIq3s/Tp0/LjKW2WrFiBfbt24ezZ89W2TJnzJgBAAgLC1M6ffz48bCwsMB3332ntFxexftJTEyElpYWzMzMXqlfIlUwkaVKcychF1fvZ1V3GPT/ZdyJwtMrl6o7jGp16dIl+Pr64tmzZ6hXr16521QWHR0dODo6QkPj1S6WKd5Pda5Tdk4uMrJyqnSZ1aE6t3F5qFu8tVVoaCgWLFiAyZMnAwC+/vprbN68GeHh4Sr3YWRkBHt7+1eOpXg/a9aseelYqOawsrKCqalphfczbtw4ODg4YOXKla/cN1FZeGkx1VqZmZm4f/++rK6kS+SysrKQkpJSYl/JyclIT08vcXpeXh6SkpJeLeDX3IuX7wohkJCQoDAOBQUFiImJQUxMDB4+fFjqpbPFxyw/P1+61Ov+/fuIiYlRuAxLlTbA80u4hBAlLrusz0NJmjRpguPHj0uJRfFtkpiYKNsmOTk5Si83fLEfVdeptip+2XhpYyuEwKNHjxTGtjzbOCUlpcTPSEnLAVQ7bpW1TqrEy2NaxSnt+6OksS66PeD+/fswMjJCTEwMEhISkJKSIk2LiYnBs2fPylx+//79sWHDBqn84mWv+fn5CseQZ8+eITU1tdR+0tPTyxVLbZSfn48nT54o1GdkZEjbrqR96cWxysjIUNj3nzx5gqys8p0wmDdvHqZPny6Viz5fwPPjTPHP7OPHj5Uu68V+kpOTkZmZiWfPnknrlpeXV674iFTBRJZqrQMHDsDT01NWFxkZiYYNG0pfKklJSejSpQvMzMzg6uqK5s2b4+TJk1L7v/76C+7u7mjYsCHs7OzQpk0bXL16VdZnWFgYLCws4OLiAktLS2zatKnyV04NnT17Fg0bNsTnn38OMzMzuLi4oH79+jh06JDUJikpCf7+/vD394e3tzfq1auHadOmyZK7ksbs4cOHmDBhAgCga9eu8Pf3x3/+8x9ZDGW1Wbx4MSwtLeHq6gorKyscOHBANr8qn4fSXLlyBQ0bNsTTp09l22TWrFmwsrKCi4sL7OzscOTIEcyePRu2trZwdnaGi4sLIiMjlfajynrXZkXb+Msvvyx1bLdt2wYHBwc0adIEZmZm6NWrl3Rf2Mts47/++guenp6wsbFB/fr10a9fP9mP3NKWA6h23CprnUqLl8e0ilPW90dpY3379m34+/sjLy8Ps2bNgr+/P7755husXr1amubv7489e/aUGcf69esRFBQklVesWIHAwED06dMHtra2cHR0RIsWLXDlyhX07t0bjo6OsLGxQWBgoCzBfrGfgwcPliuW2iQjIwPvvvuutK+7u7sjKur/bu85duyYtO2aNm0KS0tLrF+/XtbHihUrEBQUhOHDh8POzg5vvvkmACA1NRVvvfUWrKysYG9vjy5durz0Pbnjx4/HJ598IpVHjhyJkSNHwtvbG05OTrC0tESfPn0QHh6OVq1aoWnTpjA2NpYlv8X7WbJkCU6dOoVdu3ZJ6xYdHf1ScRG9DF5aTFSKL774AgUFBUhOToa+vj5u3bqF/fv3o2PHjrhz5w569uyJ1atXY8iQISgsLMTnn3+Ot99+G9euXYOenh4iIyMxZswYrF+/HiNGjEBsbCw6d+5c3atVox07dgwxMTEwNDTE559/joEDByI6OhomJiawsbGRnWm6c+cOAgIC4ObmhnHjxgEofcx27doFX19fXLt2TenllI6OjkrbHD9+HAAQHh6Oe/fuQV9fH6GhoRg1ahTi4uKgoaGh0uehvGJjYxEbGwttbW0MGjQI3bp1w+DBg/Ho0SNoaGigd+/e+Oijj7B7926V14nkShvbqKgoDB06FMuXL8f777+PpKQkBAcHY9KkSdi6davK2/jWrVsIDg7GtGnTcPHiRWhqamL37t24du0aOnbsWOZyKmqdSopXnY5phflZyH9Wdff8v0jL0AUaWmXvz6Udi8oa62bNmiEmJgZaWlrYuHEjgoODAQAWFhYVcjnvtWvXEBISgl27diEtLQ0+Pj7w9vbGN998g927dyM5ORmtWrXCd999J917+aL+/fsjJiamWi4tzs7ORvS92CpdZpGGjvWhq6urUtuIiAgMGzYMGzZsQG5uLnr06IFZs2Zh165dAICePXuiZ8+eUvtDhw6hd+/eaNOmDTw8PGT99O3bFykpKdLtIh9++CESExMRFxcHS0tLfPvtt5g6dSpGjhz5Sut36NAh/PHHH/Dz88O1a9fQsmVL/Pnnnzhw4ADatWuHixcvwsfHB++88w7eeOMNhfkXLVqEmzdv8tJiqjJMZIlK8eTJE9ja2kJfXx8A4OrqCldXVwDAd999By8vL7z55puIjY2FEALvvvsuvvrqK1y8eBEdOnTAmjVr0KZNG4wYMQIAUL9+fXz88ccYNWpUta1TTbdw4UIYGxsDAObOnYs1a9Zg69atGD9+vNSm6DJbTU1NdO/eHQcPHpQS2dLG7FV99dVXUr+jR4/GokWL8ODBAzRo0EClz0N5LVy4UPrxNHDgQGzbtg1fffUVtLW1AQADBgzAnDlzXn0Fa7HSxvb777+Hu7u79Bm0srLCl19+iW7duuHbb7+FpaWlSstYvXo1GjVqhC+++EJ6wFLfvn2l6RW1HFXWSRl1OqblP4tC/N4WVbrMIrY9L0Pb1LPMdqUdiyp6rF+Wvb09PvzwQwCAsbExunXrhr1792LixIkAAHNzcwQFBeHixYuVGkd5RN+LRdc+g6tl2b/v2gq3Ji4qtbW3t8dHH30E4PlzC4YOHYq5cxUfgJiXl4eEhAS4urrCw8MDhw8fliWy5ubmmDt3rpTEZmVlYdOmTdi+fTusrKwAAFOmTMHq1atfdfXQu3dv+Pn5AQCaN2+OFi1aoHnz5mjXrh0AoHXr1nB1dcXFixeVJrJEVY2JLFEppk6dih49esDd3R3BwcEIDg5GQEAAgOd/Jb106ZJCgmJraytdHhYVFQV3d3fZ9OKXBZLci9tLS0sLbm5u0uVYeXl5mDx5MjZt2gRdXV0YGRkhLS1NlqiWNmavqn79+tL/i85iFV0GrMrnobwcHByk/xsYGEBTU1P2dFgDAwPen/aKShvbW7duoUULedLk5eUFIQRu376tctJx/fp1eHt7l/iU4IpaTpHS1kkZHtMqVmnHoooe65f14jEFeH4MUVZX1a+QeZ0U35716tWT7X8PHjzA2LFjcfToUZiYmEBfXx+JiYkK+5+TkxM0NTWlcnR0NPLz8xX2wxeT34qKuaTPBb9vqKZgIku1lrIfk8UfLtS6dWvcu3cPJ06cwLFjxzB8+HB06NAB27Ztg6amJoKCgrB9+/YSl6Gjo4PcXPmrR7KzsytmBV5TyrZX0dnI5cuX49ChQ4iIiECjRo0AAHPmzMHBgwel9qWNWWVS5fNA6klXVxc5OfInLxeVVb3MEAC0tbVLfTCLKstR5bhVXjymVazSjkUV9Zki9TVp0iRoaWkhISFBeuqvv7+/wv5c/JVvOjo6AJR/VxoYGFRixEQ1DxNZqrUsLCzw9OlTZGVlSfcvXrlyRdamoKAA2traCAwMRGBgIPz9/REcHIyMjAy0a9cOS5cuRUpKiuzR80VPB61Tpw5atGiBsLAwFBYWSpcF/fXXX1W0hurp5MmT0uWWqampuHr1KqZOnQrg+RkjPz8/KYkFgBMnTsjmL23Min4A5Ofnl7h8Vdooo8rnobqUd53oOS8vL3z//fcoKCiQzowcP34cenp6cHF5fpmhKtvY19cXK1eulB1zAEjHB1WWo8pxSxXK4lWnY5qWoQtse16u8uUWLVsVpR2LVBlrZXR0dGrMflxdsTR0rI/fd738PeMVteyKEhERgdDQUGlfS0tLQ3h4OLy8vEqdz9HRESYmJjh58iTc3NwAPP8jyLlz59C1a9cKi6+8atJnlF5/TGSp1mrVqhXMzc0xffp0TJo0CZGRkfj4449lbYYMGYJWrVqhc+fO0NbWRlhYGNzc3GBgYIAJEyZgw4YN6N69O+bNmwdbW1tcuXIFy5Ytw7Fjx2BkZITx48dj6dKleO+99zBx4kRcu3YNixcvrqY1Vg/Tp0+Hrq4urKysMHfuXNjb26Nfv34AgDZt2uCzzz7D77//DltbW6xbtw6nT59Gy5YtpflLGzMnJyfUrVsXv/76KwIDA2FoaAgLCwvZ8pW1UYUqn4fqosp6U8kmTJiA//73vwgJCcG0adMQHR2NmTNnYubMmdIlu6ps4/Hjx2PNmjXo3bs3PvnkE+jp6eHHH3/EW2+9he7du6u0HFWOW6pQFq86HdM0tPRUuk+1OpX1/VHWWCvj6uqKu3fv4uTJk6hfvz7Mzc1VPkZVtOqKRVdXV+X7VGuyNm3aYPXq1fDw8EBBQQHmzJmj0iW7WlpamDlzJj755BOYm5ujUaNG+Oqrr2rMa9VcXV3x22+/4erVqzA0NIS9vT3q1q1b3WHRa4qv36Fay9DQEPv370d0dDQGDhyIX3/9FatXr4ajo6P0F/LVq1cjNTUVEydOxMiRI1GvXj3pMlYTExOcOXMG7dq1w6xZszBkyBAcPHgQ69atk5IWc3NzHDt2DLGxsRgyZAh27tyJsLAw2TJI7ocffsD//vc/DB8+HAYGBjh06JB0adX777+PSZMmITQ0FMOGDUNBQQHmz58POzs7af7SxszU1BTr1q3Dhg0b0KVLF6WvSFHWRldXF46OjrKzqpqamnB0dJQeuKTK56E4HR0dODo6Sme2ipeVLVdPTw9OTk6yfgwMDGQP8CnejyrrXVupOranTp1CXl4eBg0ahEWLFmH27Nn47LPPpHlU/WydOXMGjRs3xoQJEzBlyhQ0adIE3bp1U3k5qhy3VFknZfHymFaxyvr+KGusged/cHjx7H1QUBA++OADfPDBB+jUqZPSV94YGRnB3t6+xLKJiQlsbW1l85iamsruuwcAMzMzWFtbl9iPKrHUVsq2cfHj9IoVK9CiRQu8++67+OCDDxAQEIDhw4fDzMys1H4AYPbs2Zg6dSo+//xzTJgwAc2aNcPkyZNL/QOllZUVzM3NSyxbW1vLlg0ANjY2sqszAMDOzk56IKOyfqZMmYIWLVpg0KBBfP0OVbo6oqQ3vxO9oq/3PsKdhNyyG1aQxtbamNHTpuyGtdStJfORcafqXldh0NgFrjMVn9BYkuPHj6NTp07Iy8tTuCeI1FdsfDKyc6ruOKCro436tuZlNyQiIiK1xkSWiGoEJrJEREREpCpeWkxENYKyyyGJiIiIiJThGVkiIiIiIiJSKzwjS0RERERERGqFiSwRERERERGpFSayREREREREpFaYyBIREREREZFaYSJLREREREREaoWJLBEREREREakVJrJERERERESkVpjIEhERERERkVphIktERERERERqhYksERERERERqRUmskRERERERKRWmMgSERERERGRWmEiW8kePnqMgoKC6g6DlCgoKOD41HAco5qPY1TzcYxqPo5Rzccxqvk4RjVbZYwPE1kiIiIiIiJSK0xkiYiIiIiISK0wkSUiIiIiIiK1wkSWiIiIiIiI1AoTWSIiIiIiIlIrTGSJiIiIiIhIrTCRJSIiIiIiIrWiVd0BEBERERHVVAVZCUi7+T8UZGQjLV4Xxk0nQlPPurrDokqW9DgZm3/eLpWHDeoPSwvzaoyIimMiS0RERERUgoLsBDy7ugAA8AxAPaf+TGRrgcfJT7B81VqpHBzYmYlsDcNLi4mIiIiIiEitMJElIiIiIiIitcJEloiIiIiIiNQK75GtZANXJQNIru4wqFQcn5qPY1TzcYxqPo5Rzccxqonqa8dgUYP/K4/8Xwxic3WqLyAqQ8XsR7mp92XlCyP6IlFTVEjf6sDvdER1h1AmnpElIiIiIiIitcJEloiIiIiIiNQKE1kiIiIiIiJSK0xkiYiIiIiISK0wkSUiIiIiIiK1wkSWiIiIiIiI1AoTWSIiIiIiIlIrTGSJiIiIiIhIrTCRJSIiIiIiIrXyWieyaWlp+PTTT9G1a1cMHToUf/75p0KblJQU/Pe//0VAQAD+85//qNz3kiVLEB0dXZHhEhERERERkQpe20Q2Ly8PnTt3xuHDhzFq1Cg4OzsjMDAQ+/btk9pERUXB3d0d0dHRePLkCW7cuFFqnwkJCZg/fz6ys7MRGRmJjIwMXLlyBf/9738reW2IiIiIiIioSImJbGJiIqZOnYpu3brhgw8+wJUrV+Dv74/bt28DAO7fvw9/f3+Eh4djwoQJCAwMxIkTJwAAN2/exPvvv4+goCCEhITgn3/+kfW9Zs0afPjhh7K6gwcPYsCAAVL5l19+wZgxY3D06FGMGjUK3bp1w7Jly5Cfn6/Siv3888+4evUq9u7diwEDBmDevHkICQnB7NmzpTb29va4ffs2li9fDisrqzL7tLKyQuPGjdGjRw9cvnwZ8+bNw+LFi9GzZ0+VYiIiIiIiIqJXpzSRzc/PR6dOnXDhwgWMHj0ajRs3lhLV9PR0AEBmZiZOnDiB7t27w9XVFaGhoWjWrBlu376NNm3aIDs7G5MmTYKpqSk6duyIU6dOSf3fvXsXly9fli3z0aNHOHPmjFSOjY3Fli1bMGHCBAQEBGDAgAFYsmQJpk+frtKKHTp0CL6+vrC0tJTqevfujWvXriEuLg4AoK+vDz09PRU3FVCnTh0MGjQIffr0wdWrVxETE4PQ0FA0btxY5T6IiIiIiIjo1Wgpq/zll19w//59/P333zAxMQEAaGpqYvLkyQpt582bhzFjxkjl6dOno3Xr1ggLCwMA9OrVC4mJiQgNDcXJkydfKrjs7Gxs374dHh4eAAA7Ozv06NEDs2bNgoODQ6nz3rt3T6GNvb29NM3Ozu6lYgGA+Ph4vPPOOxg+fDiGDh2Kd955B1988QVcXFwwf/78l+6PiIiIiIiIXp7SRPbChQvw8fGRklgACAoKUtpBhw4dZOV//vlHltgCQM+ePfHuu+9CCIE6deqoHJydnZ2UxAJAYGAgAODSpUtlJrK5ubkKZ1v19fWlaeVha2uLPXv2wNTUFOfOnYO9vT22bt2KlJSUcvVHREREREREL0/ppcVPnz6FoaGhrK54uUi9evVk5bS0NIW2RkZGyM7ORnZ29ksFV7wfDQ0N6OvrIzU1tcx5TU1NkZycLKsrKpuamr5UHMX7BYCZM2eiYcOGr9wfERERERERvRyliayTkxOioqJkdUUPeSpLo0aNcOvWLVndzZs3YWtrK50h1dfXR1ZWlqxNYmKiQl+xsbGy5DchIQFPnz6VEsjStGzZEpcuXZLVnT9/Hvr6+mjSpIlK61KaJk2awMDA4JX7ISIiIiIiopejNJEdNGgQIiMjsX37dgDPL8VduHChSh2GhIRg48aNUjIbHx+Pb7/9FiEhIVIbd3d3hIeHIzY2FsDzJHbt2rUKfWVmZuKrr74CAAghMHfuXLi4uMDX17fMOIYPH46HDx9i06ZNAIDU1FSsWrUKgwcPho6OjkrrQkRERERERDWP0kTWxcUFS5cuxbBhw+Dp6QlHR0eYmZkBALS0lN5WKxk9ejT69u0LLy8vtG7dGq6urvDw8MDHH38stenduzc6d+4Md3d3+Pj4wNvbG15eXgp9OTk54dixY3B1dUXDhg2xa9cubNiwAZqammWumJubG9auXYsJEybA3d0dTk5OsLGxwdKlS2XtunTpAn9/f5w7dw6HDx+Gv7+/7DVAREREREREVLOUmJVOmTIFgwcPRnR0NJydnRETE4MtW7bAxsYGANCgQQP8+eefstfbAM+fbvzDDz9gwYIFiI6Ohp2dHZycnGRtNDQ0sHfvXty+fRsZGRlo2rQpUlJSEB0dLWtnbGyMEydO4N69e3j06BE8PT1f6nU5ISEh6NevH65fvw4zMzO4uroqtJk7dy6EELI6nrElIiIiIiKquUpMZLdv344ePXqgbdu2yMrKwvz58+Hj4wMLCwsAz+9z9ff3L7FjW1tb2NralrpwZ2dn6f82NjZSklyco6MjHB0dS+2rJEZGRnjjjTdKnO7n51eufomIiIiIiKh6lJjIPn36FE5OTqhfvz7u3r2LBg0a4Oeff67K2Eo1dOhQPHz4UOm0KVOmoE+fPlUcEREREREREVWFEhPZUaNGYeDAgbh58ybMzc3h6Oj4Uu+AfVUDBw4s9YzvBx98oPDk4yIuLi6VFBURERERERFVt1Kf3GRgYIDWrVtXVSwy9evXR/369Uuc3rZt2yqMhoiIiIiIiGoKpU8tJiIiIiIiIqqpmMgSERERERGRWmEiS0RERERERGqFiSwRERERERGpFSayREREREREpFZKfWoxvbpfJpjDxtIUmpqa1R0KFVNQUIBHSSkcnxqMY1TzcYxqPo5RzccxqtlyU3IQv/f/yhsnOkHbtEn1BURKVfR+dCNSA12P/F/Ze9NOuDXhKz5rEp6RJSIiIiIiIrXCRJaIiIiIiIjUChNZIiIiIiIiUitMZImIiIiIiEit8GFPREREREQl0NS1hqHHp0jPyEY9A11o6lpXd0hUBSzMzTBlwlhZmWoWJrJERERERCXQ1LOGsednyEpKgTGfLF1rWFqYY9qk96o7DCoFLy0mIiIiIiIitcJEloiIiIiIiNQKE1kiIiIiIiJSK0xkiYiIiIiISK0wkSUiIiIiIiK1wkSWiIiIiIiI1Apfv0NEREREVIKCrASk3fwfCjKykRavC+OmE6Gpx3fJvu6SHidj88/bpfKwQf1haWFejRFRcUxkiYiIiIhKUJCdgGdXFwAAngGo59SfiWwt8Dj5CZavWiuVgwM7M5GtYXhpMREREREREakVJrJERERERESkVpjIEhERERERkVphIktERERERERqhYksERERERERqRUmskRERERERKRWmMgSERERERGRWmEiS0RERERERGqFiSwRERERERGpFSayREREREREpFaYyBIREREREZFaYSJLREREREREauW1T2QfPXqEP/74A+fPn0dhYaHC9MLCQly7dg1HjhzBvXv3VO43PDwcz549q8hQiYiIiIiISAWvdSK7fPlyNGrUCPPnz0fv3r3Rpk0bJCUlSdMPHDgAd3d3vPPOO1i0aBE8PDwwcOBA5ObmKu1PCIG4uDgAwMqVK6XE9+HDh5W/MkRERERERASgjET27t27OHToEO7evYu8vDzs3r0baWlpAID09HTs3r0b2dnZuHXrFvbv3y8leQBw8+ZNHDhwAJcvX1bo9/r16zh9+rSs7v79+/jjjz+k8u3bt/Hnn38iPz8fV65cwaFDh5CSkqLyil25cgXTpk3D5s2b8ffff+PWrVvIy8vD9OnTpTYZGRnYvXu3dEY2IiICR48exZIlS5T2mZCQgGHDhmHJkiXIy8tDVFQUevXqhR9//FHluIiIiIiIiOjVaJU0YcGCBfjiiy/g4+OD+Ph4eHh4YPfu3bh06RK8vLzw4MED9OnTB/369UN4eDiaNWuG0NBQWFpaYvDgwTh8+DBat26Nq1evolmzZtizZw+MjY0BAJs2bcKFCxdw5MgRaXnHjh3DnDlz8ODBAwDA7t278e2338LKygoaGhrIyclBTEwMdu7ciS5dupS5Yps3b0bDhg3Rt29fAICBgQEmTJiAqVOnYs2aNdDT08OAAQNk8zRo0ADt2rXDxYsXlfZpY2ODY8eOYcOGDfjpp58QERGBnTt3wtHRscx4iIiIiIiIqGIoPSN77do1fP7559i1axdOnjyJyMjIEjuoW7cuIiMjsWfPHvj6+mLVqlU4ceIErl69imPHjuHmzZuIj4/HvHnzXjq42NhYDBkyBOfOncPly5cxevRojB07Fnl5eWXOe/nyZbRo0UJW5+XlhZycHNy6dUvpPJmZmTh//jzc3NyUTs/Pz8eqVauwdetW+Pj4wMPDA1OnTlV61pmIiIiIiIgqh9JEdvv27XB3d0e3bt0AAJqampg1a5bSDqZMmQJNTU2p/NNPP+Hdd99FgwYNAADm5uaYNGkStmzZ8tLB1atXD5MmTZLKn3zyCaKjo3HmzJky501LS4OpqamsztzcHACQmpqqdJ4JEyZACIEpU6YonZ6amor8/HwcOHAAbm5umDFjBpYuXYrz58+ruEZERERERET0qpQmsvfu3UOjRo1kdQ0bNlTagb29vawcHR2Nxo0by+pcXFyQmJiIrKyslwrOwcEB2traUtnc3BzGxsaIiYkpc15tbW1kZmbK6tLT0wEAOjo6Cu1nzZqF3bt3Y9++fbCyslLap4WFBT744ANoaWmhZcuWMDIyQqNGjTBmzJiXWCsiIiIiIiJ6FUrvkTU1NVVIFose8lRcnTp1ZGVzc3OFM56pqanQ19eHnp4eAEBDQwNCCFmbnJwchb6LL7OgoADp6enSmdXSNGrUCLdv35bVxcbGAlBMykNDQ/H999/j0KFD8Pb2LrNvAJg4caJK7YiIiIiIiKhiKT0j6+vri7Nnz+Lx48dS3b59+1TqsF27dtizZ4+sbteuXfD19ZXKdnZ2iI6OliWzf/31l0Jf8fHxuHDhgiwGTU1NtGrVqsw4unbtirNnz8pejbNt2za0bNkS1tbWUt3HH3+MVatW4Y8//kDbtm1VWkciIiIiIiKqPkrPyPbt2xeLFi1CUFAQJk2ahAcPHmD16tUAFM/AFvfZZ5+hZcuW6NevH3r37o0TJ05g7969OHnypNSmd+/emDVrFsaMGYMuXbrgxIkTOHjwoHTGtoiBgQEGDBiAmTNnIicnBwsWLMDUqVNha2tb5or1798fK1asQNeuXfHBBx/g6tWr+Pnnn3Hw4EGpzZIlS7Bw4ULMnj0bjx49wu7duwEAZmZmePPNN8tcBhEREREREVU9pWdkNTQ0cPToUfTs2ROHDx9GXl4etm3bBuD5A5gAwNDQEG+//bZC8tmgQQNcunQJLi4u2Lt3L+rVq4cLFy7ILtl1cHDA2bNnoaenJ72m55dffkFwcLCsL2dnZ/zyyy+IiorCuXPnsHjxYixcuFClFdPU1MThw4cxYsQIHDlyBHl5eThz5ozs1T35+fl4++23cePGDYSFhUn/9u/fr9IyiIiIiIiIqOqV+B5ZALJX5nz33XcwMTGBk5MTgOcPeSo6g1lcgwYNsGjRolIX7OnpiZUrV8rqAgICFNr5+PjAx8en1L5KoqenhxkzZpQ4PTQ0tFz9EhERERERUfUpMZGdPn06zM3N0aJFC1y7dg3Lly/HF198IXvVTnU6cuSI9BTi4lq0aFHiU5aJiIiIiIhIvZWYyK5YsQLff/89Dh48CHNzc+zbtw+dOnWqssBcXFxKXd6OHTsQHx+vdNq4ceOYyBIREREREb2mSkxk9fX1MW3atKqMRebtt9/G22+/XeL0oodPERERERERUe2i9GFPRERERERERDUVE1kiIiIiIiJSK0xkiYiIiIiISK0wkSUiIiIiIiK1wkSWiIiIiIiI1AoTWSIiIiIiIlIrTGSJiIiIiIhIrTCRJSIiIiIiIrXCRJaIiIiIiIjUChNZIiIiIiIiUita1R0AEREREVFNpalrDUOPT5GekY16BrrQ1LWu7pCoCliYm2HKhLGyMtUsTGSJiIiIiEqgqWcNY8/PkJWUAmNLU2hqalZ3SFQFLC3MMW3Se9UdBpWClxYTERERERGRWmEiS0RERERERGqFiSwRERERERGpFSayREREREREpFaYyBIREREREZFaYSJLREREREREaoWv3yEiIiIiKkFBVgLSbv4PBRnZSIvXhXHTidDU47tkX3dJj5Ox+eftUnnYoP6wtDCvxoioOCayREREREQlKMhOwLOrCwAAzwDUc+rPRLYWeJz8BMtXrZXKwYGdmcjWMLy0mIiIiIiIiNQKE1kiIiIiIiJSK0xkiYiIiIiISK3wHtlKNnBVMoDk6g6DSsXxqflq/hidmt+kukMgIiIiqjV4RpaIiIiIiIjUChNZIiIiIiIiUitMZImIiIiIiEitMJElIiIiIiIitcJEloiIiIiIiNQKE1kiIiIiIiJSK0xkiYiIiIiISK0wkSUiIiIiIiK1wkSWiIiIiIiI1Mprncg+ePAAISEh8PDwgJ+fH7Zs2aLQ5vfff0e/fv3g6emJoKAgrF+/HkKIMvv++OOPERUVVRlhExERERERUSle20Q2MzMT/v7+SEpKwpo1azBs2DCEhIRg06ZNUpudO3diw4YNGDlyJLZs2YKhQ4di6tSpWLhwodI+4+PjMW7cODx+/BiJiYnIycnBoUOHMHfu3KpaLSIiIiIiolqvxET29u3b6N+/Pzw9PdG3b18cPXoUzs7OuHHjBgDg7t27cHZ2xuHDh9GrVy+4ubnh4MGDAICTJ0+iR48eaNasGQIDA/Hbb7/J+v76668xcuRIWd3OnTvRsWNHqbxu3Tr06tULP/74I4KCguDp6Ynp06cjMzNTpRXbtGkT4uLisHXrVvj6+mLs2LGYOHEiPv/8c6lNr1698Ouvv6JXr17w8PDAyJEjMXDgQOzbt09pn7a2thg2bBhGjhyJ06dPY+rUqTh06BCmTp2qUkxERERERET06pQmstnZ2ejcuTMKCgqwdu1aDB06FMOHD8edO3eQk5MDAMjNzcWdO3cwevRojBgxAr/99hs6duyI8PBwBAQEwMvLC5s3b0bXrl0xYMAA7N+/X+r/8ePHePjwoWyZT58+RXR0tFROSUnBgQMHsGLFCsyZMwdLly7F/v37MXbsWJVW7Pjx42jXrh0MDQ2lum7duiE6Ohr37t0DAGhpacnmSUhIwKlTp9ChQ4cS+23VqhW8vb0RHx+PZ8+eoWvXrjAzM1MpJiIiIiIiInp1WsoqN2/ejIyMDGzZsgX6+vpo27Ytnj17hpCQEIW2X331Ffr37y+VFyxYgKCgIHzxxRcAnid+UVFRmDt3Lrp37/5SwQkh8PPPP6NRo0YAgA0bNqBDhw6YP38+GjduXOq8sbGxaNiwoazOxsYGwPN7Zx0dHaX6jh074v79+4iLi8OoUaOwaNEipX3Gx8ejX79+mDNnDvr164fRo0dj27Zt2L9/P5YtW/ZS60ZERERERETlozSRvXz5Mlq3bg19fX2p7sXLfl/k7e0tK4eHh2PixImyui5dumD9+vUoLCyEhobqt+Xa29tLSSwA+Pr6om7durhy5UqZiWxhYSHq1q0rq9PW1gYAFBQUyOp//PFHpKen4+zZs5g5cyYaN26MWbNmKfRpa2uLEydOoG7duti5cycMDQ2xbNky5OXlqbxORERERERE9GqUJrLZ2dnQ1dWV1RUvF9HT05OVs7KyoKOjo9AmLy8PeXl5CtNKU3yZderUgba2NrKyssqc18LCAsnJybK6x48fS9Ne5OTkBABwd3dHWloaPvvsM8yYMUNp0l2UHC9cuBDGxsayOiIiIiIiIqp8Sk+PNm7cGNevX5fVFS+XxMXFBVevXpXVXb58GfXr15eSWENDQ6Snp8vaxMbGKvR1//59PHv2TCrHxMQgPT0dzs7OZcbRpk0bnDt3DoWFhVLdqVOnYGxsDBcXlxLnMzY2RlZWFvLz80vt39LSUjrDS0RERERERFVHaSI7fPhwPHjwACtWrAAA6SylKiZMmIDNmzfj9OnTAIAbN27g22+/lV1u3Lp1a1y6dElKeCMjI/Hdd98p9JWTk4OPPvoIBQUFyMnJwYcffoiWLVuiTZs2ZcYxcuRIpKWlYcmSJRBC4N69e1i5ciVGjx4tnUFdvnw5Ll68KM1z69YtfP311+jevTuTVCIiIiIiohpKaSJrb2+PsLAwzJ07F2ZmZnByckL79u0BlH0Z7cCBAzFjxgwEBgbC2toaLVu2RN++fTFt2jSpTXBwMEJCQtC6dWvY2dnh7bffRo8ePRT6cnFxQVpaGiwtLWFqaorr16/jxx9/RJ06dcpcMUdHR+zYsQPffvstzMzM4OLiAj8/P3z55ZdSm3bt2uHDDz+EqakprK2t0apVK3Tq1En2rlkiIiIiIiKqWeoIIURJE3Nzc5GUlARbW1ucOXMGHTp0QEpKCkxMTJCXl4d79+6hYcOG0NTUVJg3JycHCQkJsLCwkD006kWZmZnIysqCubk5nj17huTkZOl+1a+//hqbN29GeHi4FIe9vf1Lr2BhYSHi4uJgbGwsexXPizIyMpCeng4rKyuVkuSX0WFuZIX2R0Q106n5Tao7hGpRUFCAR0kpsLE0VfpdQNWPY1TzcYxqttyUK4jf20Iq2/a8DG1Tz2qMiJSp6P3oRmQUuvYZLJV/37UVbk1Kvj2RSlcZxzmlD3sCgO+++w59+vSBvb09kpKSEBoaioCAAJiYmAB4fma2tHtVdXR00KBBg1IXrq+vLyW5hoaGJSaa2tra5UpiAUBDQwMODg6ltjEwMICBgUG5+iciIiIiIqKqVWIia2dnB29vb+Tn5+PJkycICAjA2rVrqzK2UnXp0gX37t1TOu3zzz/HsGHDqjgiIiIiIiIiqgolJrK9evVCr169kJCQABMTk5d6bU5FGDNmDAYOHFji9A0bNiA3N1fpNEtLy8oKi4iIiIiIiKpZiYlsEWtr66qIQ4GJiYl0GbMyZV22TERERERERK8npU8tJiIiIiIiIqqpmMgSERERERGRWmEiS0RERERERGqFiSwRERERERGpFSayREREREREpFbKfGoxvZpfJpjDxtIUmpqa1R0KFVNQUIBHSSkcnxqMY0REREREyvCMLBEREREREakVJrJERERERESkVpjIEhERERERkVphIktERERERERqhQ97IiIiIiIqgaauNQw9PkV6RjbqGehCU9e6ukOiKmBhboYpE8bKylSzMJElIiIiIiqBpp41jD0/Q1ZSCoz5FP1aw9LCHNMmvVfdYVApeGkxERERERERqRUmskRERERERKRWmMgSERERERGRWmEiS0RERERERGqFiSwRERERERGpFT61uBLl5+cjLi4O+TkZfMJdDVRQUIDE5DSOTw3GMar5OEY1H8eo5uMY1Xwco5qPY1SzlXd8bGxsoKWlPGWtI4QQFRUgyT148AD169ev7jCIiIiIiIjUTmxsLBwcHJROYyJbifLz8/Ho0aPqDoOIiIiIiEjt8IwsERERERERvTb4sCciIiIiIiJSK0xkiYiIiIiISK0wkSUiIiIiIiK1wtfvVILIyEisW7cODx8+RJMmTTB+/HhYWlpWd1i1UlJSEn766SdcvnwZRkZG8PPzQ58+fRTavffee0hOTpbVmZqaYu3atVUVaq2UnZ2NYcOGKdQ3b94c8+bNU6jfv38/fvvtN+Tm5sLPzw8jRozgI/Yr2Zo1a3Do0CGl00JCQtC9e3cAwN27dzFr1iyFNkFBQRg3blylxljbZGRkYPv27fj999/h4uKCBQsWKG2XnZ2N77//HhcuXICxsTEGDx6M9u3bl7sdqS45ORlbtmzByZMn0aVLF7z//vsKbQoKCrBnzx789ddfePr0KZo1a4bRo0fDxMRE1u7nn3/G9u3bFeafM2cOvLy8KmkNXn/379/Hxo0bcfnyZYwcORI9e/ZUaLN06VKcOXNGoX716tUKv+uio6Oxdu1a3L9/H40aNcJ7770He3v7Sou/Nrh27RrCwsIQHR2N0NBQtG7dWjY9KioKoaGhSudt2LAhlixZIpWnT5+O+/fvy9poa2vjp59+qvjAa4kHDx5g69atuH79OszMzPDWW28hKChIadujR49i+/btyMzMhK+vL0aPHo26deuWu10RnpGtYGfPnkXLli2RkpKCrl274vTp02jZsiXi4uKqO7Ra588//0SDBg2wZ88edOjQATY2Nhg3bhx69uyJwsJCWdv9+/fDwMAAgwYNkv69/fbb1RR57ZGfn48dO3bAxcVFtu07d+6s0HbevHkYPHgwXFxc4Ovri3nz5mHAgAHVEHXt0qZNG9nYDBo0CLq6utixY4fsB/eTJ0+wY8cO+Pv7y9q2adOm+oJ/DR0/fhzOzs44duwYbty4gT///FNpu5ycHHTq1Anr169H586dYWZmhs6dOyMsLKxc7Uh169evh4eHB27fvo2TJ0/iwoULSts1a9YMEydOhLW1Ndq1a4c9e/bAxcUF169fl7WLiIjAuXPnFPZDW1vbqlid19Inn3wCPz8/ZGdnY8eOHYiMjFTa7syZM3j48KHCtjcwMJC1u3r1Kry8vHD//n0EBwcjIiICXl5euHPnTlWszmtpwIABGDhwoDRG8fHxCm3Mzc0VxiY4OBg7duxAamqqrG3RH2RfbMvfEOX366+/olGjRvj777/h5+cHQ0ND9O/fH6NGjVJou3z5cvTs2RMODg7o2LEjvvnmG3Tt2lXht7iq7WQEVShvb2/Rq1cvqZybmysaN24sxo4dW41R1U4///yzWLBggazu6NGjAoDYu3evrN7e3l4sWbKkKsMjIcSzZ8+Ujkdx0dHRQktLS6xfv16qu3jxogAg9u/fX9lhUjFt27YVTZo0kdWdP39eABBRUVHVFFXt8OjRI/H06VMhhBDdu3cX7du3V9pu5cqVQldXV8TFxUl1n376qTAxMRHp6ekv3Y5Ud+/ePZGTkyOEEKJx48Zi9OjRStv5+fmJpKQkqZyTkyOcnZ1Fv379ZO0++eQT0bx588oLuBa6c+eOKCgoEHl5eQJAid///fr1UxgPZQICAsSbb74plQsKCoSXl5cYMGBAhcVc2xR9l1y9elWl3wlFVq9eLQCI06dPy+qbN28uPvnkkwqPs7Zavny5+O6772R1W7ZsEQDE+fPnpbrExEShp6cnli1bJtXdunVLaGhoiC1btrx0u+J4RrYC3bt3DxcuXMDQoUOlurp162LAgAFKLwuiytWtWzfMmTNHVld0duju3bvVERKV02+//QYAeOedd6S6Vq1aoWnTpty3qtjNmzfxzz//ICQkpLpDqZWsra1haGhYZrvt27ejU6dOsrN2Q4cORWpqKo4ePfrS7Uh1DRo0gLa2dpnt9u7dCwsLC6msra0NT09Pfj9VgUaNGkFDo2J+AqekpODYsWOy334aGhoYNGgQ9u7di5ycnApZTm3j7OxcrvnCwsLQtGlT+Pr6VnBE9KKQkBC89957sjplv7EPHDiArKws2f7h4uICHx8f2e83VdsVx3tkK1BERAQAwM3NTVbv5uaGlJQUxMXFwc7OrjpCq5WU/dg7fPgwgOf3YBa3d+9eXLp0CVZWVvD19cWAAQNQp06dSo+Tnt+HuXXrVjg4OCAwMBABAQGy6REREWjQoIHC5Vxubm7SfkdVIywsDJqamhgxYoTS6fPmzYMQAk5OTujbty9atWpVxRES8HyfKT5GLi4u0NLSQkREBHr16vVS7ajiFf+OysrKwt9//43AwECFtomJiRgzZgyEEGjatClGjRoFc3Pzqgq1VouIiMDIkSOhr68PDw8PhISEQE9PT5p+/fp1FBYWKv3tl52djTt37qBZs2ZVHXatVPSH1sWLFyudfvToUcTExMDMzAw+Pj4YPHgwn7NRTqr+xo6IiICZmRmsrKxkbd3c3HDq1KmXblccz8hWoJSUFACAsbGxrL6oXDSdqsfjx48xbdo0eHt7o1OnTrJppqam8Pb2RlBQEAwNDfH+++/Dz88PmZmZ1RRt7eHg4AAvLy8EBQUhJycHPXv2xPDhwyGEkNqkpKQo7FfA832L+1XVKSwsxObNm9G1a1el9+c1b94czZo1Q+fOnREbG4u2bdti/vz51RApKdtnNDQ0UK9ePdk+o2o7qnwffvghkpOTMW3aNFl9nTp10K5dO7Ru3RotW7bE9u3b4ezsjJMnT1ZTpLVH3bp18cYbb+DNN9+Es7MzvvnmGzRt2lR27yt/+9UcGzduhJaWltI/tBoaGqJNmzYICAiApaUlPvzwQ7Rt21bhXloqn5iYGHz66afo1q2bLJFV9fdbeX/n8YxsBdLSer45CwoKZPVF5aLpVPUyMjLQs2dP5OXl4ddff1W4pOjEiRMwMzOTyn379oW3tzdWrlyp9EmsVDH09PQQEREhHbxGjhyJDh06YMCAARgwYIB0NkhLS0thvwKe71vcr6rO4cOH8fDhQ6xYsUJhWpMmTXDp0iXp6YKjRo2Ci4sL5s6di4EDB6JJkyZVHW6tpuo+w32rZli2bBlWr16N1atXK1zFMG3aNNn30/jx49G+fXu89957Cg+Goor1v//9T7btR48eDXd3d8ycORM7d+4EwN9+NUXRH1q7desGa2trhen79++XjeWgQYPg6emJxYsX48svv6zKUF87ycnJ6NatG8zNzRUeFFjZ30U8I1uBis5QJCQkyOqLyjY2NlUeEz1/KmefPn0QFRWFw4cPo2HDhgptXjy4AYCXlxeaNm2q9LH7VHE0NTUV/gLXp08f6OjoyLa9ra2twn4FPN+3+OTOqrNx40ZYWVmhR48eCtMMDQ0VHpE/aNAgCCFw9uzZqgqR/j9l+0xWVhaePXsm22dUbUeVZ/369ZgxYwYWLVqk9DU9xb+fNDU10b9/f9y4cQNpaWlVFWatVHzbm5iYIDg4WOH7CSj5tx/3o6px5MgRPHjwQOlTcwHFsXRxcUHr1q35O+8VPX36FMHBwcjIyMCRI0cUXktla2uLpKQk2VV2gOLvN1XbFcdEtgK1bNkSdevWxblz52T1586dQ9OmTZWeMqfKlZ+fj0GDBuH8+fM4fPiw0ntjS5KWlqZwTyZVvszMTOTm5sq2fdu2bZGQkCB7B1xBQQH+/fdftG3btjrCrHXS0tKwe/duDBs2rNR3ur2o6JIt7kdVr23btkq/i4qmvWw7qhy//vorxo4di7lz5+Kjjz5Seb7U1FRoampCR0enEqMjZVJTU2XHNDc3NxgaGirdj2xtbVG/fv2qDrFWCgsLg7W1tfRuc1UUH0t6OVlZWejZsyfi4uJw7NgxNGjQQKFN27ZtkZWVhatXr8rqz58/r/BdpEo7Ba/28GUqbvjw4cLFxUWkpaUJIZ4/PtzAwED2OGmqGoWFhWLYsGHC0NBQ/PPPPyW2O3/+vLhw4YKsbvHixQKA2L17d2WHWasdOnRI3LlzRyrn5uaKcePGCU1NTRERESHVZ2RkCBsbG/Hee+9JdatWrRJaWloiMjKySmOurb7//nsBQDYuL9q+fbvsVSJPnz4VQUFBwtTUVDx58qSqwqxVSnv9TtGrxn7//XchhBD5+fmiW7duokWLFqKwsPCl21H5lPb6nf3794u6deuKjz76qNQ+1q5dK/Lz86XytWvXhLm5uejdu3eFxloblfb6nYSEBLFz505Z3eHDh0XdunXF7NmzZfWTJ08W9vb20jHwwYMHwszMTMydO7fygq8lVHn9TlpamtDT0xMzZswosY9Tp07J6oq+08LCwio03toiNzdXBAcHCysrK3Hz5s1S2zVu3FgMGjRI+k756aefRJ06dWS/vVVtVxwT2QqWkpIi2rVrJ+zt7UX37t2FkZGRGD58uOxLiKpGWFiYACCaNm0qvQuu6N/mzZuldpGRkaJjx47Czc1NdOvWTbi6ugozMzOxYsWKaoy+djh58qTw9PQUXl5eomvXrsLBwUE4Ojoq/HgoamtpaSlatWol/P39hb6+vti4cWM1RF07tWvXTvj4+JQ4/ZdffhHOzs6ibdu2IigoSJibm4sWLVqIM2fOVGGUr7/ExETpOGZjYyPMzc2l8v3792Vtv/zyS6GrqyuCgoKEm5ubaNSokbhx44ZCn6q2I9VcunRJGhMDAwPh5OQklQsKCoQQQmRlZQk9PT2hp6en8P00ZswYWX+TJ08W9evXF126dBHt27cX2traYuDAgSI5Obk6Vu+1sG/fPtGvXz/Rt29fAUB4eHiIfv36iUmTJkltnj59KgYOHCicnJzEW2+9Jby9vYWOjo6YPHmy9J7gIunp6SIwMFBYWVmJ7t27CzMzM9G7d2+FdqS677//XvTr108EBgYKAKJ9+/aiX79+YuHChQpt16xZIwCI69evK+3r3r17okuXLsLV1VV07dpVNGvWTBgZGSnti1SzaNEiAUB4eXkpHMP27dsna3vx4kVhb28vPDw8RJcuXYSenp5YuXKlQp+qtntRHSGKXYxMr0wIgX///RdxcXFwdXXlQ06qyZ07d3Dp0iWl05o2bQp3d3dZXVRUFKKiomBtbQ03Nzfo6+tXRZi1XmFhIa5du4bY2Fg4ODjAzc2txEtXs7KycPr0aeTm5sLHx4evn6gihYWF2LVrF5o0aaKw37woNzcXV65cwePHj+Ho6IimTZvyFVYVLDMzEwcOHFA6LSgoCEZGRrK6uLg4/PvvvzAyMoKvr2+J+5aq7ahsCQkJJT5RuF+/fqhTpw4KCgqwa9cupW10dXUV7kN/8uQJwsPDoaGhAVdXV77K7xXdvn0b4eHhCvX16tVDcHCwrC4+Ph5Xr16FgYEBmjZtWur3Tnh4OGJjY9GoUaOXupWJFF26dEn2dOgitra2aN++vazu/PnzSEhIUPr8hhdFR0fj5s2bsLCwQNOmTVV6Jzcpd+3aNdy4cUPpNC8vL4X3AOfk5OD06dPIysqCt7e3wmt2XrZdESayREREREREpFb4sCciIiIiIiJSK0xkiYiIiIiISK0wkSUiIiIiIiK1wkSWiIiIiIiI1AoTWSIiIiIiIlIrTGSJiIiIiIhIrTCRJSIiIiIiIrXCRJaIiIiIiIjUChNZIiIiJXx9fbF169bqDqPcrly5Ah8fH+Tl5VV3KADUY3sGBATg2LFj1R0GERGpgIksERGREvHx8cjIyKjwftu0aYNt27ZVeL/FTZ06FSNGjEDdunWlupSUFLz77ruVvmxl61hZ21PV5atizJgxmDJlCoQQlRAVERFVJCayRERESpw9exZDhgyp8H6rIqG7cOEC/vnnH4wYMQIAsHjxYmzZsgUFBQV4/PgxUlJSMHHiRERERFTK8pWtY2VtT1WXr4q+ffsiPj4eBw8erISoiIioIjGRJSKi15qnpyeWL1+OESNGwN3dHW3btsXu3bsRHR2NgQMHwsXFBZ07d8b58+dl8/Xp0we//fabrJ+1a9dizJgx8PDwgK+vr8JZPwcHB5w6dUpW5+/vj7CwMADAW2+9hUePHmH69OlwcHCAs7MzAKCwsBDLli2Dj48PmjRpgr59++LKlSuyfvbs2YPOnTvD1dUV3bt3V1jOi3788UcEBATAyMgIADB58mTExsZiyJAhiIiIwJAhQ9C3b1+4u7srnf9V4ilpHZVtz/KMS69eveDg4ID69evDx8cHn376KbKysqTpr7KNtbW10b17d/z4448lblsiIqohBBER0WvM3NxcGBkZiY0bN4qbN2+K6dOni7p16wo3NzexZcsWcePGDTF+/Hhhb28vsrOzpfkcHR3F2rVrZf0YGhqKdevWiZs3b4ply5YJTU1Ncf36dakNAHH48GHZ8ps0aSJWrFghhBAiISFB2NjYiGXLlonY2Fjx4MEDIYQQY8eOFd7e3uLo0aPi5s2bYvHixcLAwEDcvXtXCCHEtWvXhLa2tli3bp2IiooSBw8eFP7+/iI/P1/pOrdo0UIsWLBAVnf8+HHRuXNnYWRkJCZOnCgePXpU4jZ7lXhKWkdl27M845KYmChiY2PF/fv3xfHjx0WrVq3EuHHjpOnl3cZFVq1aJWxtbUvcNkREVDMwkSUioteaubm5CA0NlcqZmZkCgJg3b55Ul5iYKACI8PBwqU5Z4jV79mxZ387OzmLlypVSuaxEVggh7O3txYYNG6RyVFSUqFOnjoiJiZHN17VrVynubdu2CRsbG1FYWChNf/H/xZmYmIgffvhBKi9YsEBMnDhRREVFie7du4t//vlH+Pn5iYiICIV5KyKe4usohPLtWZ5xKe7vv/8WOjo6pS5flXUqsmvXLgFA5OTklLhMIiKqflrVeDKYiIioSjRv3lz6v56eHgwMDGR1lpaWAIDHjx+X2k/xS3Gtra3LnKcsZ86cAQD4+fkBAMTzPzLjyZMnqFevHgDgzTffhBACAQEBGDRoELp06YJGjRqV2Gd+fj60tP7vKz40NBSamppSrD4+Pjh27Bg0NBTvMKqMeEpSnnEJDw/HV199hYiICKSmpiI/Px85OTl49OgRbG1tlS5HlXUqUrTd8vPzoa2t/dLrREREVYOJLBERvfY0NTVVqhNlPK22PPOUJTs7Gzo6Ojh58iTq1Kkjm6anpwcAsLKywvXr1/HLL7/gjz/+wIwZM9CuXTvs2rULurq6Cn3a2toiMTFRIW4zMzNs3LgRAJQmsZUVT0ledlySkpLQuXNnhISEYMaMGbCwsMCdO3fQpUsX5OTklLgcVdapSFJSEoyMjKCvr6/yehARUdVjIktERFRBDA0N8ezZM6lcUFCAhw8fytpoamrKkt/mzZsjOzsb8fHx8PHxKbFvMzMzjB8/HuPHj0dSUhIaNmyIXbt2YfDgwQpt33jjDfz7778K9RoaGjA3Ny91HSoinuLrWFHOnz+P3NxcLF26VKorOtv6ovJuYwC4ePEi2rdvX3FBExFRpeBTi4mIiCqIt7c3Nm7ciLy8POTn5yM0NBTp6emyNvb29oiMjJTK7dq1Q4cOHTBu3DjcunULAJCeno61a9diz549AIAdO3Zg3bp10itlHj16hLy8POnS2+IGDBiAI0eOIC8v76XXoSLiKb6OFcXBwQGZmZk4ceIEAODWrVuYM2eOQrvybOMif/zxB/r371/hsRMRUcViIktERFRBvv32W0RGRsLExATW1tbIzs5Gw4YNZW1mz56NNWvWwMrKSno1zJ49e+Dp6YkWLVrA1NQUDg4O+Pfff+Hr6wsAaN++Pc6ePQs7OztYWlrCz88Pc+bMQUBAgNI4unfvDjMzM9nrbl7Gq8ajbB0rgqenJz777DO89dZbMDMzg6+vL3r37q3QrjzbGAD++usvPH36VOlZbiIiqlnqiMq49oeIiKiGiI+Ph4mJiexeyLi4OJiZmcnu53zw4AEsLS2ho6MD4PlZxhfvlVTWT1JSEnR0dKT3tRZJS0uDoaEhNDQ0kJCQgHr16sHAwECaLoTA48ePkZubC3t7e6k+Ly8PqampJZ5pLSwsRGpqKszMzMpc73379uHjjz9GeHh4iffDluVV4im+jqpsT1XGBXj+IKYnT57AwsICQgjEx8fD1tZWdn9tebZx586dMXToUIwePfolthIREVUHJrJERESvqYcPH8LGxkbpA5RI0YMHD2Bvb6/wQCgiIqp5mMgSERERERGRWuE9skRERERERKRWmMgSERERERGRWmEiS0RERERERGqFiSwRERERERGpFSayREREREREpFb+H23DO+7E25xnAAAAAElFTkSuQmCC", "contentId": "day-picture"}, {"name": "report-2030-11-03.csv", "contentType": "text/csv", "contentInBase64": "77u/ZGF5LGdyb3VwLG5hbWUsY2x1c3Rlcix1c2VkX21pbnV0ZXMsc29mdF9taW51dGVzLGhhcmRfbWludXRlcyxsaW1pdCxzZXNzaW9ucyxmaXJzdF9zdGFydCxsYXN0X3N0b3Asd2FybmVkLHN0b3BwZWQsbWludXRlc19wYXN0X2xpbWl0LG5vdF9jb3VudGVkX21pbnV0ZXMsZXN0aW1hdGUNCjIwMzAtMTEtMDMsZ3JvdXBfMDEsVGVhbSAxLGNsdXN0ZXJfMDEsMTk0Ljk3LDE1MC4wMCwxODAuMDAsMTgwIG1pbnV0ZXMsMSwyMDMwLTExLTAzIDA4OjAwOjAyKzAyOjAwLDIwMzAtMTEtMDMgMTE6MTU6MDArMDI6MDAsMjAzMC0xMS0wMyAxMDo0NTowMCswMjowMCwyMDMwLTExLTAzIDExOjE1OjAwKzAyOjAwLDE0Ljk3LDAuMDAsd2hldGhlciBpdCByZWFjaGVkIFJVTk5JTkcgd2FzIG5vdCBhbW9uZyB0aGUgZXZlbnRzDQoyMDMwLTExLTAzLGdyb3VwXzAyLFRlYW0gMixjbHVzdGVyXzAyLDAuMDAsMTUwLjAwLDE4MC4wMCwxODAgbWludXRlcywwLCwsLCwwLjAwLDAuMDAsd2hldGhlciBpdCByZWFjaGVkIFJVTk5JTkcgd2FzIG5vdCBhbW9uZyB0aGUgZXZlbnRzDQoyMDMwLTExLTAzLGdyb3VwXzAzLFRlYW0gMyxjbHVzdGVyXzAzLDU5Ljk3LDE1MC4wMCwxODAuMDAsMTgwIG1pbnV0ZXMsMSwyMDMwLTExLTAzIDIzOjAwOjAyKzAyOjAwLCwsLDAuMDAsMC4wMCx3aGV0aGVyIGl0IHJlYWNoZWQgUlVOTklORyB3YXMgbm90IGFtb25nIHRoZSBldmVudHMNCg=="}], "userEngagementTrackingDisabled": true}', 1919975400000, 1919975400000, false, false, 1919975400000, 1, NULL, 0, false, 1919975400304, NULL, NULL);
INSERT INTO public.letter VALUES (4, '4f671cf3-fbcf-5ef1-863f-0213017275ff', 'warning', 'week', '2030-11-03', '4411-452756-d8e2c473', 18000000, 0, 2, 'Data Engineering: 16 minutes of cluster time left for Team 1', '{"senderAddress": "lab@lab.example", "content": {"subject": "Data Engineering: 16 minutes of cluster time left for Team 1", "plainText": "\u2068Team 1\u2069, your cluster \u2068cluster_01\u2069 has been running for 284 minutes in the week from 03 November to 09 November 2030.\n\nUsed:          284 minutes\nLimit:         300 minutes\nLeft:          16 minutes\nCounted anew:  Sunday, 10 November 2030 at 00:00\n\nWhat to do:\n- Save your work. When the limit is reached the cluster is turned off, whoever is working on it. Notebooks and files\n  stay; variables and what is only in memory do not.\n- Terminate the cluster when nobody needs it (Compute, your cluster, Terminate): the minutes that are left stay yours.\n- If you need more time for a reason, ask the course staff before the limit is reached: admin@lab.example.\n", "html": "<!DOCTYPE html>\n<html lang=\"en\" dir=\"ltr\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>Data Engineering: 16 minutes of cluster time left for Team 1</title>\n</head>\n<body style=\"margin: 0; padding: 24px 12px; background: #f4f5f7; color: #1f2933; font: 16px/1.5 system-ui, ''Segoe UI'', Arial, sans-serif;\">\n<div style=\"max-width: 600px; margin: 0 auto; padding: 24px; background: #ffffff; border: 1px solid #d9dee5; border-radius: 8px;\">\n<h1 style=\"margin: 0 0 12px; font-size: 20px; color: #8d5b00;\">16 minutes of cluster time left</h1>\n<p><strong><bdi>Team 1</bdi></strong>, <bdi>Data Engineering</bdi>: your cluster is near its limit.</p>\n<table role=\"presentation\" style=\"border-collapse: collapse; margin: 16px 0;\">\n<tr><td style=\"padding: 4px 16px 4px 0; color: #52606d;\">Cluster</td><td style=\"padding: 4px 0;\"><bdi>cluster_01</bdi></td></tr>\n<tr><td style=\"padding: 4px 16px 4px 0; color: #52606d;\">Used</td><td style=\"padding: 4px 0;\"><strong>284 minutes</strong> in the week from 03 November to 09 November 2030</td></tr>\n<tr><td style=\"padding: 4px 16px 4px 0; color: #52606d;\">Limit</td><td style=\"padding: 4px 0;\"><strong>300 minutes</strong></td></tr>\n<tr><td style=\"padding: 4px 16px 4px 0; color: #52606d;\">Counted anew</td><td style=\"padding: 4px 0;\">Sunday, 10 November 2030 at 00:00</td></tr>\n</table><ul style=\"padding-inline-start: 20px;\">\n<li>Save your work. When the limit is reached the cluster is turned off, whoever is working on it. Notebooks and files stay; variables and what is only in memory do not.</li>\n<li>Terminate the cluster when nobody needs it (Compute, your cluster, Terminate): the minutes that are left stay yours.</li>\n<li>If you need more time for a reason, ask the course staff before the limit is reached: <bdi>admin@lab.example</bdi>.</li>\n</ul>\n</div>\n</body>\n</html>\n"}, "recipients": {"to": [{"address": "student1a@campus.example.ac.il"}, {"address": "student1b@campus.example.ac.il"}], "cc": [{"address": "admin@lab.example"}]}, "replyTo": [{"address": "admin@lab.example"}], "attachments": [], "userEngagementTrackingDisabled": true}', 1920011400020, 1920011400020, true, false, 1920011400020, 1, NULL, 0, false, 1920011400092, NULL, NULL);
INSERT INTO public.letter VALUES (5, 'a4527412-fce6-5c56-9eeb-f6a183ee4f86', 'stopped', 'week', '2030-11-03', '4411-452756-d8e2c473', 18000000, 0, 0, 'Data Engineering: the cluster of Team 1 is off, its limit is reached', '{"senderAddress": "lab@lab.example", "content": {"subject": "Data Engineering: the cluster of Team 1 is off, its limit is reached", "plainText": "\u2068Team 1\u2069, the limit of your cluster \u2068cluster_01\u2069 is reached. It is off, and your group cannot start it until the limit is counted anew.\n\nUsed:          314 minutes in the week from 03 November to 09 November 2030\nLimit:         300 minutes\nCounted anew:  Sunday, 10 November 2030 at 00:00\n\nWhat to do:\n- Nothing is lost: notebooks and files are where they were, and you can open and edit them.\n- From Sunday, 10 November 2030 at 00:00 on you can start the cluster again yourselves.\n- If you need more time for a reason, ask the course staff: admin@lab.example.\n", "html": "<!DOCTYPE html>\n<html lang=\"en\" dir=\"ltr\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>Data Engineering: the cluster of Team 1 is off, its limit is reached</title>\n</head>\n<body style=\"margin: 0; padding: 24px 12px; background: #f4f5f7; color: #1f2933; font: 16px/1.5 system-ui, ''Segoe UI'', Arial, sans-serif;\">\n<div style=\"max-width: 600px; margin: 0 auto; padding: 24px; background: #ffffff; border: 1px solid #d9dee5; border-radius: 8px;\">\n<h1 style=\"margin: 0 0 12px; font-size: 20px; color: #a61b1b;\">The cluster is off: its limit is reached</h1>\n<p><strong><bdi>Team 1</bdi></strong>, <bdi>Data Engineering</bdi>: your group cannot start its cluster until the limit is counted anew.</p>\n<table role=\"presentation\" style=\"border-collapse: collapse; margin: 16px 0;\">\n<tr><td style=\"padding: 4px 16px 4px 0; color: #52606d;\">Cluster</td><td style=\"padding: 4px 0;\"><bdi>cluster_01</bdi></td></tr>\n<tr><td style=\"padding: 4px 16px 4px 0; color: #52606d;\">Used</td><td style=\"padding: 4px 0;\"><strong>314 minutes</strong> in the week from 03 November to 09 November 2030</td></tr>\n<tr><td style=\"padding: 4px 16px 4px 0; color: #52606d;\">Limit</td><td style=\"padding: 4px 0;\"><strong>300 minutes</strong></td></tr>\n<tr><td style=\"padding: 4px 16px 4px 0; color: #52606d;\">Counted anew</td><td style=\"padding: 4px 0;\">Sunday, 10 November 2030 at 00:00</td></tr>\n</table><ul style=\"padding-inline-start: 20px;\">\n<li>Nothing is lost: notebooks and files are where they were, and you can open and edit them.</li>\n<li>From Sunday, 10 November 2030 at 00:00 on you can start the cluster again yourselves.</li>\n<li>If you need more time for a reason, ask the course staff: <bdi>admin@lab.example</bdi>.</li>\n</ul>\n</div>\n</body>\n</html>\n"}, "recipients": {"to": [{"address": "student1a@campus.example.ac.il"}, {"address": "student1b@campus.example.ac.il"}], "cc": [{"address": "admin@lab.example"}]}, "replyTo": [{"address": "admin@lab.example"}], "attachments": [], "userEngagementTrackingDisabled": true}', 1920013200020, 1920013200020, true, false, 1920013200020, 1, NULL, 0, false, 1920013200089, NULL, NULL);


--
-- Data for Name: lowered; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.lowered VALUES ('4411-452756-d8e2c473', 'group_01', 1920013200020);


--
-- Data for Name: mail_call; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.mail_call VALUES (4, 1920011400081, 'send');
INSERT INTO public.mail_call VALUES (5, 1920013200081, 'send');


--
-- Data for Name: migration; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.migration VALUES ('0001 tables');
INSERT INTO public.migration VALUES ('0002 imported days');


--
-- Data for Name: note; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.note VALUES ('ledger id', '084815c8-2bc4-444e-89ad-c21254de4b6e');
INSERT INTO public.note VALUES ('members', '{"read": 1919975400000, "groups": {"admins": ["admin@lab.example"], "users": ["admin@lab.example", "assistant@example.ac.il", "student1a@campus.example.ac.il", "student1b@campus.example.ac.il", "student2a@campus.example.ac.il", "student2b@campus.example.ac.il", "student3a@campus.example.ac.il", "student3b@campus.example.ac.il"], "group_01": ["student1a@campus.example.ac.il", "student1b@campus.example.ac.il"], "group_02": ["student2a@campus.example.ac.il", "student2b@campus.example.ac.il"], "group_03": ["student3a@campus.example.ac.il", "student3b@campus.example.ac.il"]}, "gone": {}}');
INSERT INTO public.note VALUES ('looked at everything', '2030-11-04');
INSERT INTO public.note VALUES ('settled', '2030-11-03');
INSERT INTO public.note VALUES ('files of /lab-94290-2030w/allowances', '["/lab-94290-2030w/allowances/20301103T093000Z-05cfb400.json", "/lab-94290-2030w/allowances/20301103T093000Z-681b370a.json"]');


--
-- Data for Name: poll; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.poll VALUES (1919916900010, 1919916900226, 0, '{"clusters/list": 1, "workspace/list": 2, "workspace/export": 1, "clusters/events": 3, "scim/groups": 1, "scim/users": 1, "permissions/get": 3}');
INSERT INTO public.poll VALUES (1919917800010, 1919917800083, 0, '{"clusters/list": 1, "workspace/list": 2, "clusters/events": 3}');
INSERT INTO public.poll VALUES (1919918700010, 1919918700075, 0, '{"clusters/list": 1, "workspace/list": 2, "clusters/events": 3}');
INSERT INTO public.poll VALUES (1919919600010, 1919919600089, 0, '{"clusters/list": 1, "workspace/list": 2, "clusters/events": 3}');
INSERT INTO public.poll VALUES (1919920500010, 1919920500115, 0, '{"clusters/list": 1, "workspace/list": 2, "clusters/events": 3}');
INSERT INTO public.poll VALUES (1919921400010, 1919921400085, 0, '{"clusters/list": 1, "workspace/list": 2, "clusters/events": 3}');
INSERT INTO public.poll VALUES (1919922300010, 1919922300096, 0, '{"clusters/list": 1, "workspace/list": 2, "clusters/events": 3}');
INSERT INTO public.poll VALUES (1919923200010, 1919923200098, 0, '{"clusters/list": 1, "workspace/list": 2, "clusters/events": 3}');
INSERT INTO public.poll VALUES (1919924100010, 1919924100083, 0, '{"clusters/list": 1, "workspace/list": 2, "clusters/events": 3}');
INSERT INTO public.poll VALUES (1919925000010, 1919925000098, 0, '{"clusters/list": 1, "workspace/list": 2, "clusters/events": 3}');
INSERT INTO public.poll VALUES (1919925900010, 1919925900131, 0, '{"clusters/list": 1, "workspace/list": 2, "clusters/events": 3}');
INSERT INTO public.poll VALUES (1919926800010, 1919926800100, 0, '{"clusters/list": 1, "workspace/list": 2, "clusters/events": 3}');
INSERT INTO public.poll VALUES (1919927700010, 1919927700144, 0, '{"clusters/list": 1, "workspace/list": 2, "clusters/events": 3, "permissions/get": 1, "permissions/patch": 1, "clusters/delete": 1}');
INSERT INTO public.poll VALUES (1919928600010, 1919928600104, 0, '{"clusters/list": 1, "workspace/list": 2, "workspace/export": 1, "clusters/events": 3, "permissions/get": 1}');
INSERT INTO public.poll VALUES (1919970000010, 1919970000079, 0, '{"clusters/list": 1, "workspace/list": 2, "clusters/events": 3, "permissions/get": 1}');
INSERT INTO public.poll VALUES (1919975400000, 1919975400076, 0, '{"clusters/list": 1, "workspace/list": 2, "clusters/events": 3}');
INSERT INTO public.poll VALUES (1920006900020, 1920006900197, 0, '{"clusters/list": 1, "workspace/list": 2, "clusters/events": 3}');
INSERT INTO public.poll VALUES (1920007800020, 1920007800053, 0, '{"clusters/list": 1, "workspace/list": 2, "clusters/events": 2}');
INSERT INTO public.poll VALUES (1920008700020, 1920008700061, 0, '{"clusters/list": 1, "workspace/list": 2, "clusters/events": 2}');
INSERT INTO public.poll VALUES (1920009600020, 1920009600072, 0, '{"clusters/list": 1, "workspace/list": 2, "clusters/events": 2}');
INSERT INTO public.poll VALUES (1920010500020, 1920010500064, 0, '{"clusters/list": 1, "workspace/list": 2, "clusters/events": 2}');
INSERT INTO public.poll VALUES (1920011400020, 1920011400093, 0, '{"clusters/list": 1, "workspace/list": 2, "clusters/events": 2}');
INSERT INTO public.poll VALUES (1920012300020, 1920012300064, 0, '{"clusters/list": 1, "workspace/list": 2, "clusters/events": 2}');
INSERT INTO public.poll VALUES (1920013200020, 1920013200090, 0, '{"clusters/list": 1, "workspace/list": 2, "clusters/events": 2, "permissions/get": 1, "permissions/patch": 1, "clusters/delete": 1}');


--
-- Data for Name: session; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.session VALUES ('4411-452756-d8e2c473', 1919915940010, 1919915940010, 'admin@lab.example', '[]', '[]', 'whether it reached RUNNING was not among the events', 1919915940010);
INSERT INTO public.session VALUES ('0676-694829-1b91d6be', 1919915940030, 1919915940030, 'admin@lab.example', '[]', '[]', 'whether it reached RUNNING was not among the events', 1919915940030);
INSERT INTO public.session VALUES ('2561-116832-852e358e', 1919915940050, 1919915940050, 'admin@lab.example', '[]', '[]', 'whether it reached RUNNING was not among the events', 1919915940050);
INSERT INTO public.session VALUES ('4411-452756-d8e2c473', 1919916002000, 1919927700010, 'student1a@campus.example.ac.il', '[]', '[[1919916002000, 1]]', NULL, 1919916002000);
INSERT INTO public.session VALUES ('4411-452756-d8e2c473', 1920006002000, NULL, 'student1a@campus.example.ac.il', '[]', '[[1920006002000, 1]]', NULL, 1920006002000);
INSERT INTO public.session VALUES ('0676-694829-1b91d6be', 1920006002010, NULL, 'student2a@campus.example.ac.il', '[]', '[[1920006002010, 1]]', NULL, 1920006002010);
INSERT INTO public.session VALUES ('2561-116832-852e358e', 1919970002000, 1919975400000, 'student3a@campus.example.ac.il', '[]', '[[1919970002000, 1]]', NULL, 1919970002000);


--
-- Name: action_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.action_id_seq', 7, true);


--
-- Name: letter_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.letter_id_seq', 5, true);


--
-- Name: mail_call_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.mail_call_id_seq', 5, true);


--
-- Name: action action_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.action
    ADD CONSTRAINT action_pkey PRIMARY KEY (id);


--
-- Name: cluster cluster_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.cluster
    ADD CONSTRAINT cluster_pkey PRIMARY KEY (cluster_id);


--
-- Name: day day_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.day
    ADD CONSTRAINT day_pkey PRIMARY KEY (cluster_id, day);


--
-- Name: event event_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.event
    ADD CONSTRAINT event_pkey PRIMARY KEY (cluster_id, at, type, user_name);


--
-- Name: file file_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.file
    ADD CONSTRAINT file_pkey PRIMARY KEY (path);


--
-- Name: letter letter_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.letter
    ADD CONSTRAINT letter_pkey PRIMARY KEY (id);


--
-- Name: lowered lowered_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.lowered
    ADD CONSTRAINT lowered_pkey PRIMARY KEY (cluster_id);


--
-- Name: mail_call mail_call_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.mail_call
    ADD CONSTRAINT mail_call_pkey PRIMARY KEY (id);


--
-- Name: migration migration_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.migration
    ADD CONSTRAINT migration_pkey PRIMARY KEY (name);


--
-- Name: note note_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.note
    ADD CONSTRAINT note_pkey PRIMARY KEY (name);


--
-- Name: poll poll_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.poll
    ADD CONSTRAINT poll_pkey PRIMARY KEY (began);


--
-- Name: session session_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.session
    ADD CONSTRAINT session_pkey PRIMARY KEY (cluster_id, start);


--
-- Name: letter_accepted_given_up; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX letter_accepted_given_up ON public.letter USING btree (accepted, given_up);


--
-- Name: letter_kind_period_first_about_limit_part; Type: INDEX; Schema: public; Owner: -
--

CREATE UNIQUE INDEX letter_kind_period_first_about_limit_part ON public.letter USING btree (kind, period, first, about, "limit", part);


--
-- Name: letter_operation_id; Type: INDEX; Schema: public; Owner: -
--

CREATE UNIQUE INDEX letter_operation_id ON public.letter USING btree (operation_id);


--
-- Name: letter_sealed; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX letter_sealed ON public.letter USING btree (sealed);


--
-- Name: mail_call_at; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX mail_call_at ON public.mail_call USING btree (at);


--
-- PostgreSQL database dump complete
--

\unrestrict dGpPUbMEcEC6xS2HROakNfBfAY3DA1y85wUZ0rxVKboxZfidbnqVOvrMI8yAChP

