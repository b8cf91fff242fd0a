--
-- PostgreSQL database dump
--


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
-- Name: accepted; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.accepted (
    cluster_id character varying(255) NOT NULL,
    course character varying(255) NOT NULL,
    term character varying(255) NOT NULL,
    group_name character varying(255) NOT NULL,
    creator character varying(255) NOT NULL,
    since bigint NOT NULL
);


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
    final bigint,
    refused bigint,
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
-- Name: starter; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.starter (
    cluster_id character varying(255) NOT NULL,
    at bigint NOT NULL,
    user_name character varying(255) NOT NULL,
    role character varying(255) NOT NULL,
    asked bigint
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
-- Data for Name: accepted; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.accepted VALUES ('7257-604460-56753302', '94290', '2030w', 'group_01', 'admin@lab.example', 1919916000000);
INSERT INTO public.accepted VALUES ('5176-283761-8ee1a9e8', '94290', '2030w', 'group_02', 'admin@lab.example', 1919916000000);
INSERT INTO public.accepted VALUES ('9758-979646-90573df6', '94290', '2030w', 'group_03', 'admin@lab.example', 1919916000000);
INSERT INTO public.accepted VALUES ('6846-771767-85bdc735', '94290', '2030w', 'group_04', 'admin@lab.example', 1919916000000);


--
-- Data for Name: action; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.action VALUES (1, 'warn', '7257-604460-56753302', 'group_01', 'day 180 minutes', '2030-11-03', 1919925900000, 1919925900000, NULL);
INSERT INTO public.action VALUES (2, 'restrict', '7257-604460-56753302', 'group_01', 'day 180 minutes', '2030-11-03', 1919927700000, 1919927700000, NULL);
INSERT INTO public.action VALUES (3, 'stop', '7257-604460-56753302', 'group_01', 'day 180 minutes', '2030-11-03', 1919927700000, 1919927700000, NULL);
INSERT INTO public.action VALUES (4, 'restore', '7257-604460-56753302', 'group_01', '', '2030-11-04', 1919974200000, 1919974200000, NULL);
INSERT INTO public.action VALUES (5, 'restrict', '9758-979646-90573df6', 'group_03', 'day 0 instead of 180 minutes: away', '2030-11-04', 1920002100000, 1920002100000, NULL);
INSERT INTO public.action VALUES (6, 'warn', '7257-604460-56753302', 'group_01', 'day 180 minutes', '2030-11-04', 1920012000000, 1920012000000, NULL);
INSERT INTO public.action VALUES (7, 'warn', '6846-771767-85bdc735', 'group_04', 'day 180 minutes', '2030-11-04', 1920012000000, 1920012000000, NULL);


--
-- Data for Name: cluster; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.cluster VALUES ('7257-604460-56753302', 'cluster_01', 'group_01', '94290', '2030w', '1919915940000:1920002400000::1920002402000', 1920003300000, 1919916000000, 1920012000000, 1920012000000, 1920002400000, NULL, true, NULL);
INSERT INTO public.cluster VALUES ('5176-283761-8ee1a9e8', 'cluster_02', 'group_02', '94290', '2030w', '1919915940020:1920002400010::1920002402010', 1920004200000, 1919916000000, 1920012000000, 1920012000000, 1920002400010, NULL, true, NULL);
INSERT INTO public.cluster VALUES ('6846-771767-85bdc735', 'cluster_04', 'group_04', '94290', '2030w', '1919915940060:1920002400020::1920002402020', 1920004200000, 1919916000000, 1920012000000, 1920012000000, 1920002400020, NULL, true, NULL);
INSERT INTO public.cluster VALUES ('9758-979646-90573df6', 'cluster_03', 'group_03', '94290', '2030w', '1919915940040:1919970000000:1919975402000:1919970002000', 1919975700000, 1919916000000, 1920012000000, 1919974200000, 1919970000000, 1919975402000, false, NULL);


--
-- Data for Name: day; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.day VALUES ('7257-604460-56753302', '2030-11-03', 'group_01', 11398000, 9000000, 10800000, 598000, 0, 1, false, false, 1919974200000);
INSERT INTO public.day VALUES ('5176-283761-8ee1a9e8', '2030-11-03', 'group_02', 0, 9000000, 10800000, 0, 14097990, 0, false, false, 1919974200000);
INSERT INTO public.day VALUES ('9758-979646-90573df6', '2030-11-03', 'group_03', 3598000, 9000000, 10800000, 0, 0, 1, false, false, 1919974200000);
INSERT INTO public.day VALUES ('6846-771767-85bdc735', '2030-11-03', 'group_04', 0, 9000000, 10800000, 0, 0, 0, false, false, 1919974200000);


--
-- Data for Name: event; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.event VALUES ('7257-604460-56753302', 1919915940000, 'CREATING', 'admin@lab.example', NULL, NULL, false, '{"cluster_id": "7257-604460-56753302", "details": {"attributes": {"autotermination_minutes": 0, "azure_attributes": {"availability": "ON_DEMAND_AZURE", "first_on_demand": 1, "spot_bid_max_price": -1.0}, "cluster_name": "cluster_01", "custom_tags": {"lab_course": "94290", "lab_group": "group_01", "lab_term": "2030w", "origin": "terraform"}, "driver_node_type_id": "Standard_DS3_v2", "enable_elastic_disk": true, "enable_local_disk_encryption": false, "node_type_id": "Standard_DS3_v2", "spark_version": "15.4.x-scala2.12"}, "cluster_size": {"num_workers": 1}, "user": "admin@lab.example"}, "timestamp": 1919915940000, "type": "CREATING"}');
INSERT INTO public.event VALUES ('7257-604460-56753302', 1919915940010, 'TERMINATING', 'admin@lab.example', NULL, NULL, false, '{"cluster_id": "7257-604460-56753302", "details": {"reason": {"code": "USER_REQUEST", "parameters": {"username": "admin@lab.example"}, "type": "SUCCESS"}, "user": "admin@lab.example"}, "timestamp": 1919915940010, "type": "TERMINATING"}');
INSERT INTO public.event VALUES ('5176-283761-8ee1a9e8', 1919915940020, 'CREATING', 'admin@lab.example', NULL, NULL, false, '{"cluster_id": "5176-283761-8ee1a9e8", "details": {"attributes": {"autotermination_minutes": 0, "azure_attributes": {"availability": "ON_DEMAND_AZURE", "first_on_demand": 1, "spot_bid_max_price": -1.0}, "cluster_name": "cluster_02", "custom_tags": {"lab_course": "94290", "lab_group": "group_02", "lab_term": "2030w", "origin": "terraform"}, "driver_node_type_id": "Standard_DS3_v2", "enable_elastic_disk": true, "enable_local_disk_encryption": false, "node_type_id": "Standard_DS3_v2", "spark_version": "15.4.x-scala2.12"}, "cluster_size": {"num_workers": 1}, "user": "admin@lab.example"}, "timestamp": 1919915940020, "type": "CREATING"}');
INSERT INTO public.event VALUES ('5176-283761-8ee1a9e8', 1919915940030, 'TERMINATING', 'admin@lab.example', NULL, NULL, false, '{"cluster_id": "5176-283761-8ee1a9e8", "details": {"reason": {"code": "USER_REQUEST", "parameters": {"username": "admin@lab.example"}, "type": "SUCCESS"}, "user": "admin@lab.example"}, "timestamp": 1919915940030, "type": "TERMINATING"}');
INSERT INTO public.event VALUES ('9758-979646-90573df6', 1919915940040, 'CREATING', 'admin@lab.example', NULL, NULL, false, '{"cluster_id": "9758-979646-90573df6", "details": {"attributes": {"autotermination_minutes": 0, "azure_attributes": {"availability": "ON_DEMAND_AZURE", "first_on_demand": 1, "spot_bid_max_price": -1.0}, "cluster_name": "cluster_03", "custom_tags": {"lab_course": "94290", "lab_group": "group_03", "lab_term": "2030w", "origin": "terraform"}, "driver_node_type_id": "Standard_DS3_v2", "enable_elastic_disk": true, "enable_local_disk_encryption": false, "node_type_id": "Standard_DS3_v2", "spark_version": "15.4.x-scala2.12"}, "cluster_size": {"num_workers": 1}, "user": "admin@lab.example"}, "timestamp": 1919915940040, "type": "CREATING"}');
INSERT INTO public.event VALUES ('9758-979646-90573df6', 1919915940050, 'TERMINATING', 'admin@lab.example', NULL, NULL, false, '{"cluster_id": "9758-979646-90573df6", "details": {"reason": {"code": "USER_REQUEST", "parameters": {"username": "admin@lab.example"}, "type": "SUCCESS"}, "user": "admin@lab.example"}, "timestamp": 1919915940050, "type": "TERMINATING"}');
INSERT INTO public.event VALUES ('6846-771767-85bdc735', 1919915940060, 'CREATING', 'admin@lab.example', NULL, NULL, false, '{"cluster_id": "6846-771767-85bdc735", "details": {"attributes": {"autotermination_minutes": 0, "azure_attributes": {"availability": "ON_DEMAND_AZURE", "first_on_demand": 1, "spot_bid_max_price": -1.0}, "cluster_name": "cluster_04", "custom_tags": {"lab_course": "94290", "lab_group": "group_04", "lab_term": "2030w", "origin": "terraform"}, "driver_node_type_id": "Standard_DS3_v2", "enable_elastic_disk": true, "enable_local_disk_encryption": false, "node_type_id": "Standard_DS3_v2", "spark_version": "15.4.x-scala2.12"}, "cluster_size": {"num_workers": 1}, "user": "admin@lab.example"}, "timestamp": 1919915940060, "type": "CREATING"}');
INSERT INTO public.event VALUES ('6846-771767-85bdc735', 1919915940070, 'TERMINATING', 'admin@lab.example', NULL, NULL, false, '{"cluster_id": "6846-771767-85bdc735", "details": {"reason": {"code": "USER_REQUEST", "parameters": {"username": "admin@lab.example"}, "type": "SUCCESS"}, "user": "admin@lab.example"}, "timestamp": 1919915940070, "type": "TERMINATING"}');
INSERT INTO public.event VALUES ('7257-604460-56753302', 1919916300000, 'STARTING', 'student1a@campus.example.ac.il', NULL, NULL, false, '{"cluster_id": "7257-604460-56753302", "details": {"cluster_size": {"num_workers": 1}, "user": "student1a@campus.example.ac.il"}, "timestamp": 1919916300000, "type": "STARTING"}');
INSERT INTO public.event VALUES ('7257-604460-56753302', 1919916302000, 'RUNNING', 'student1a@campus.example.ac.il', 1, NULL, false, '{"cluster_id": "7257-604460-56753302", "details": {"current_num_workers": 1, "target_num_workers": 1, "user": "student1a@campus.example.ac.il"}, "timestamp": 1919916302000, "type": "RUNNING"}');
INSERT INTO public.event VALUES ('7257-604460-56753302', 1919916302000, 'DRIVER_HEALTHY', '', NULL, NULL, false, '{"cluster_id": "7257-604460-56753302", "details": {}, "timestamp": 1919916302000, "type": "DRIVER_HEALTHY"}');
INSERT INTO public.event VALUES ('5176-283761-8ee1a9e8', 1919916300010, 'STARTING', 'assistant@example.ac.il', NULL, NULL, false, '{"cluster_id": "5176-283761-8ee1a9e8", "details": {"cluster_size": {"num_workers": 1}, "user": "assistant@example.ac.il"}, "timestamp": 1919916300010, "type": "STARTING"}');
INSERT INTO public.event VALUES ('5176-283761-8ee1a9e8', 1919916302010, 'RUNNING', 'assistant@example.ac.il', 1, NULL, false, '{"cluster_id": "5176-283761-8ee1a9e8", "details": {"current_num_workers": 1, "target_num_workers": 1, "user": "assistant@example.ac.il"}, "timestamp": 1919916302010, "type": "RUNNING"}');
INSERT INTO public.event VALUES ('5176-283761-8ee1a9e8', 1919916302010, 'DRIVER_HEALTHY', '', NULL, NULL, false, '{"cluster_id": "5176-283761-8ee1a9e8", "details": {}, "timestamp": 1919916302010, "type": "DRIVER_HEALTHY"}');
INSERT INTO public.event VALUES ('7257-604460-56753302', 1919927700000, 'TERMINATING', 'admin@lab.example', NULL, NULL, false, '{"cluster_id": "7257-604460-56753302", "details": {"reason": {"code": "USER_REQUEST", "parameters": {"username": "admin@lab.example"}, "type": "SUCCESS"}, "user": "admin@lab.example"}, "timestamp": 1919927700000, "type": "TERMINATING"}');
INSERT INTO public.event VALUES ('5176-283761-8ee1a9e8', 1919930400000, 'TERMINATING', 'admin@lab.example', NULL, NULL, false, '{"cluster_id": "5176-283761-8ee1a9e8", "details": {"reason": {"code": "USER_REQUEST", "parameters": {"username": "admin@lab.example"}, "type": "SUCCESS"}, "user": "admin@lab.example"}, "timestamp": 1919930400000, "type": "TERMINATING"}');
INSERT INTO public.event VALUES ('9758-979646-90573df6', 1919970000000, 'STARTING', 'student3a@campus.example.ac.il', NULL, NULL, false, '{"cluster_id": "9758-979646-90573df6", "details": {"cluster_size": {"num_workers": 1}, "user": "student3a@campus.example.ac.il"}, "timestamp": 1919970000000, "type": "STARTING"}');
INSERT INTO public.event VALUES ('9758-979646-90573df6', 1919970002000, 'RUNNING', 'student3a@campus.example.ac.il', 1, NULL, false, '{"cluster_id": "9758-979646-90573df6", "details": {"current_num_workers": 1, "target_num_workers": 1, "user": "student3a@campus.example.ac.il"}, "timestamp": 1919970002000, "type": "RUNNING"}');
INSERT INTO public.event VALUES ('9758-979646-90573df6', 1919970002000, 'DRIVER_HEALTHY', '', NULL, NULL, false, '{"cluster_id": "9758-979646-90573df6", "details": {}, "timestamp": 1919970002000, "type": "DRIVER_HEALTHY"}');
INSERT INTO public.event VALUES ('9758-979646-90573df6', 1919975400000, 'TERMINATING', 'admin@lab.example', NULL, NULL, false, '{"cluster_id": "9758-979646-90573df6", "details": {"reason": {"code": "USER_REQUEST", "parameters": {"username": "admin@lab.example"}, "type": "SUCCESS"}, "user": "admin@lab.example"}, "timestamp": 1919975400000, "type": "TERMINATING"}');
INSERT INTO public.event VALUES ('7257-604460-56753302', 1920002400000, 'STARTING', 'student1a@campus.example.ac.il', NULL, NULL, false, '{"cluster_id": "7257-604460-56753302", "details": {"cluster_size": {"num_workers": 1}, "user": "student1a@campus.example.ac.il"}, "timestamp": 1920002400000, "type": "STARTING"}');
INSERT INTO public.event VALUES ('7257-604460-56753302', 1920002402000, 'RUNNING', 'student1a@campus.example.ac.il', 1, NULL, false, '{"cluster_id": "7257-604460-56753302", "details": {"current_num_workers": 1, "target_num_workers": 1, "user": "student1a@campus.example.ac.il"}, "timestamp": 1920002402000, "type": "RUNNING"}');
INSERT INTO public.event VALUES ('7257-604460-56753302', 1920002402000, 'DRIVER_HEALTHY', '', NULL, NULL, false, '{"cluster_id": "7257-604460-56753302", "details": {}, "timestamp": 1920002402000, "type": "DRIVER_HEALTHY"}');
INSERT INTO public.event VALUES ('5176-283761-8ee1a9e8', 1920002400010, 'STARTING', 'student2a@campus.example.ac.il', NULL, NULL, false, '{"cluster_id": "5176-283761-8ee1a9e8", "details": {"cluster_size": {"num_workers": 1}, "user": "student2a@campus.example.ac.il"}, "timestamp": 1920002400010, "type": "STARTING"}');
INSERT INTO public.event VALUES ('5176-283761-8ee1a9e8', 1920002402010, 'RUNNING', 'student2a@campus.example.ac.il', 1, NULL, false, '{"cluster_id": "5176-283761-8ee1a9e8", "details": {"current_num_workers": 1, "target_num_workers": 1, "user": "student2a@campus.example.ac.il"}, "timestamp": 1920002402010, "type": "RUNNING"}');
INSERT INTO public.event VALUES ('5176-283761-8ee1a9e8', 1920002402010, 'DRIVER_HEALTHY', '', NULL, NULL, false, '{"cluster_id": "5176-283761-8ee1a9e8", "details": {}, "timestamp": 1920002402010, "type": "DRIVER_HEALTHY"}');
INSERT INTO public.event VALUES ('6846-771767-85bdc735', 1920002400020, 'STARTING', 'student4a@campus.example.ac.il', NULL, NULL, false, '{"cluster_id": "6846-771767-85bdc735", "details": {"cluster_size": {"num_workers": 1}, "user": "student4a@campus.example.ac.il"}, "timestamp": 1920002400020, "type": "STARTING"}');
INSERT INTO public.event VALUES ('6846-771767-85bdc735', 1920002402020, 'RUNNING', 'student4a@campus.example.ac.il', 1, NULL, false, '{"cluster_id": "6846-771767-85bdc735", "details": {"current_num_workers": 1, "target_num_workers": 1, "user": "student4a@campus.example.ac.il"}, "timestamp": 1920002402020, "type": "RUNNING"}');
INSERT INTO public.event VALUES ('6846-771767-85bdc735', 1920002402020, 'DRIVER_HEALTHY', '', NULL, NULL, false, '{"cluster_id": "6846-771767-85bdc735", "details": {}, "timestamp": 1920002402020, "type": "DRIVER_HEALTHY"}');


--
-- Data for Name: file; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.file VALUES ('/lab-94290-2030w/course.json', '4501381638743288:1919915940080:1124', '{"version": 2, "course": "94290", "term": "2030w", "title": "Data Engineering", "timezone": "Asia/Jerusalem", "first_day": "2030-10-20", "last_day": "2031-01-31", "first_weekday": "Sunday", "count_all_sessions": false, "staff": {"application_ids": [], "address_hashes": ["8f037c2f7fe0112884c002a5f1e8045df79b43aa6d74716de83f305f1480b38c"]}, "groups": [{"name": "group_01", "number": 1, "moodle_id": "1001", "title": "Team 1", "limits": {"soft_minutes": 150, "hard_minutes": 180, "week_minutes": null, "term_minutes": null}}, {"name": "group_02", "number": 2, "moodle_id": "1002", "title": "Team 2", "limits": {"soft_minutes": 150, "hard_minutes": 180, "week_minutes": null, "term_minutes": null}}, {"name": "group_03", "number": 3, "moodle_id": "1003", "title": "Team 3", "limits": {"soft_minutes": 150, "hard_minutes": 180, "week_minutes": null, "term_minutes": null}}, {"name": "group_04", "number": 4, "moodle_id": "1004", "title": "Team 4", "limits": {"soft_minutes": 150, "hard_minutes": 180, "week_minutes": null, "term_minutes": null}}], "checksum": "aed0f08625ebb232215b110fe52d04e69018a4193f193109434615b5cc403c38"}');
INSERT INTO public.file VALUES ('/lab-94290-2030w/allowances/20301103T101500Z-6db25594.json', '8325663704791641:1919931300000:263', '{
  "version": 1,
  "id": "20301103T101500Z-6db25594",
  "group": "group_02",
  "first_day": "2030-11-04",
  "last_day": "2030-11-04",
  "minutes": 60,
  "reason": "project deadline",
  "given_by": "admin@lab.example",
  "given_at": "2030-11-03T10:15:00+00:00"
}
');
INSERT INTO public.file VALUES ('/lab-94290-2030w/allowances/20301103T101500Z-40338531.json', '316238032247688:1919931300000:250', '{
  "version": 1,
  "id": "20301103T101500Z-40338531",
  "group": "group_03",
  "first_day": "2030-11-05",
  "last_day": "2030-11-05",
  "none": true,
  "reason": "exam",
  "given_by": "admin@lab.example",
  "given_at": "2030-11-03T10:15:00+00:00"
}
');
INSERT INTO public.file VALUES ('/lab-94290-2030w/allowances/20301104T055500Z-6909698d.json', '7478668986095459:1920002100000:250', '{
  "version": 1,
  "id": "20301104T055500Z-6909698d",
  "group": "group_03",
  "first_day": "2030-11-04",
  "last_day": "2030-11-04",
  "none": true,
  "reason": "away",
  "given_by": "admin@lab.example",
  "given_at": "2030-11-04T05:55:00+00:00"
}
');


--
-- Data for Name: letter; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.letter VALUES (1, 'a0fce55d-a566-5b61-8198-56c1e8722ad6', 'warning', 'day', '2030-11-03', '7257-604460-56753302', 10800000, 0, 2, 'Data Engineering: 21 minutes of cluster time left for Team 1', '{"senderAddress": "lab@campus.example", "content": {"subject": "Data Engineering: 21 minutes of cluster time left for Team 1", "plainText": "\u2068Team 1\u2069, your cluster \u2068cluster_01\u2069 has been running for 159 minutes on Sunday, 03 November 2030.\n\nUsed:          159 minutes\nLimit:         180 minutes\nLeft:          21 minutes\nCounted anew:  Monday, 04 November 2030 at 00:00\n\nWhat to do:\n- Save your work. When the limit is reached the cluster is turned off, whoever is working on it. Notebooks and files\n  stay; variables and what is only in memory do not.\n- Terminate the cluster when nobody needs it (Compute, your cluster, Terminate): the minutes that are left stay yours.\n- If you need more time for a reason, ask the course staff before the limit is reached: admin@campus.example.\n", "html": "<!DOCTYPE html>\n<html lang=\"en\" dir=\"ltr\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>Data Engineering: 21 minutes of cluster time left for Team 1</title>\n</head>\n<body style=\"margin: 0; padding: 24px 12px; background: #f4f5f7; color: #1f2933; font: 16px/1.5 system-ui, ''Segoe UI'', Arial, sans-serif;\">\n<div style=\"max-width: 600px; margin: 0 auto; padding: 24px; background: #ffffff; border: 1px solid #d9dee5; border-radius: 8px;\">\n<h1 style=\"margin: 0 0 12px; font-size: 20px; color: #8d5b00;\">21 minutes of cluster time left</h1>\n<p><strong><bdi>Team 1</bdi></strong>, <bdi>Data Engineering</bdi>: your cluster is near its limit.</p>\n<table role=\"presentation\" style=\"border-collapse: collapse; margin: 16px 0;\">\n<tr><td style=\"padding: 4px 16px 4px 0; color: #52606d;\">Cluster</td><td style=\"padding: 4px 0;\"><bdi>cluster_01</bdi></td></tr>\n<tr><td style=\"padding: 4px 16px 4px 0; color: #52606d;\">Used</td><td style=\"padding: 4px 0;\"><strong>159 minutes</strong> on Sunday, 03 November 2030</td></tr>\n<tr><td style=\"padding: 4px 16px 4px 0; color: #52606d;\">Limit</td><td style=\"padding: 4px 0;\"><strong>180 minutes</strong></td></tr>\n<tr><td style=\"padding: 4px 16px 4px 0; color: #52606d;\">Counted anew</td><td style=\"padding: 4px 0;\">Monday, 04 November 2030 at 00:00</td></tr>\n</table><ul style=\"padding-inline-start: 20px;\">\n<li>Save your work. When the limit is reached the cluster is turned off, whoever is working on it. Notebooks and files stay; variables and what is only in memory do not.</li>\n<li>Terminate the cluster when nobody needs it (Compute, your cluster, Terminate): the minutes that are left stay yours.</li>\n<li>If you need more time for a reason, ask the course staff before the limit is reached: <bdi>admin@campus.example</bdi>.</li>\n</ul>\n</div>\n</body>\n</html>\n"}, "recipients": {"to": [{"address": "student1a@campus.example.ac.il"}, {"address": "student1b@campus.example.ac.il"}], "cc": [{"address": "admin@campus.example"}]}, "replyTo": [{"address": "admin@campus.example"}], "attachments": [], "userEngagementTrackingDisabled": true}', 1919925900000, 1919925900000, true, false, 1919929500080, 1, NULL, 0, false, 1919925900080, 1919930400057, NULL, NULL, NULL);
INSERT INTO public.letter VALUES (2, '900659a3-87af-56d7-9f89-4f00c33a66d2', 'stopped', 'day', '2030-11-03', '7257-604460-56753302', 10800000, 0, 0, 'Data Engineering: the cluster of Team 1 is off, its limit is reached', '{"senderAddress": "lab@campus.example", "content": {"subject": "Data Engineering: the cluster of Team 1 is off, its limit is reached", "plainText": "\u2068Team 1\u2069, the limit of your cluster \u2068cluster_01\u2069 is reached. It is off, and your group cannot start it until the limit is counted anew.\n\nUsed:          189 minutes on Sunday, 03 November 2030\nLimit:         180 minutes\nCounted anew:  Monday, 04 November 2030 at 00:00\n\nWhat to do:\n- Nothing is lost: notebooks and files are where they were, and you can open and edit them.\n- From Monday, 04 November 2030 at 00:00 on you can start the cluster again yourselves.\n- If you need more time for a reason, ask the course staff: admin@campus.example.\n", "html": "<!DOCTYPE html>\n<html lang=\"en\" dir=\"ltr\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>Data Engineering: the cluster of Team 1 is off, its limit is reached</title>\n</head>\n<body style=\"margin: 0; padding: 24px 12px; background: #f4f5f7; color: #1f2933; font: 16px/1.5 system-ui, ''Segoe UI'', Arial, sans-serif;\">\n<div style=\"max-width: 600px; margin: 0 auto; padding: 24px; background: #ffffff; border: 1px solid #d9dee5; border-radius: 8px;\">\n<h1 style=\"margin: 0 0 12px; font-size: 20px; color: #a61b1b;\">The cluster is off: its limit is reached</h1>\n<p><strong><bdi>Team 1</bdi></strong>, <bdi>Data Engineering</bdi>: your group cannot start its cluster until the limit is counted anew.</p>\n<table role=\"presentation\" style=\"border-collapse: collapse; margin: 16px 0;\">\n<tr><td style=\"padding: 4px 16px 4px 0; color: #52606d;\">Cluster</td><td style=\"padding: 4px 0;\"><bdi>cluster_01</bdi></td></tr>\n<tr><td style=\"padding: 4px 16px 4px 0; color: #52606d;\">Used</td><td style=\"padding: 4px 0;\"><strong>189 minutes</strong> on Sunday, 03 November 2030</td></tr>\n<tr><td style=\"padding: 4px 16px 4px 0; color: #52606d;\">Limit</td><td style=\"padding: 4px 0;\"><strong>180 minutes</strong></td></tr>\n<tr><td style=\"padding: 4px 16px 4px 0; color: #52606d;\">Counted anew</td><td style=\"padding: 4px 0;\">Monday, 04 November 2030 at 00:00</td></tr>\n</table><ul style=\"padding-inline-start: 20px;\">\n<li>Nothing is lost: notebooks and files are where they were, and you can open and edit them.</li>\n<li>From Monday, 04 November 2030 at 00:00 on you can start the cluster again yourselves.</li>\n<li>If you need more time for a reason, ask the course staff: <bdi>admin@campus.example</bdi>.</li>\n</ul>\n</div>\n</body>\n</html>\n"}, "recipients": {"to": [{"address": "student1a@campus.example.ac.il"}, {"address": "student1b@campus.example.ac.il"}], "cc": [{"address": "admin@campus.example"}]}, "replyTo": [{"address": "admin@campus.example"}], "attachments": [], "userEngagementTrackingDisabled": true}', 1919927700000, 1919927700000, true, false, 1919931300074, 1, NULL, 0, false, 1919927700074, 1919970900082, NULL, NULL, NULL);
INSERT INTO public.letter VALUES (3, '10db1543-fcd5-5ad6-bb89-5be69b8a830b', 'report', 'day', '2030-11-03', '94290 2030w 2030-11-03', 0, 0, 5, 'Data Engineering, Sun 03 Nov 2030: 2 of 4 clusters ran, 1 stopped at the limit, polls were missing', '{"senderAddress": "lab@campus.example", "content": {"subject": "Data Engineering, Sun 03 Nov 2030: 2 of 4 clusters ran, 1 stopped at the limit, polls were missing", "plainText": "\u2068Data Engineering\u2069: Sunday, 03 November 2030\n\n4.2 hours were used by 2 of 4 clusters in 2 sessions; 1 warned, 1 stopped, 10.0 minutes past limits; 234 minutes by staff, the deploy or in windows are not counted.\nPolls: 18 seen, 64 expected at the least; the longest time without one was 660 minutes.\n\n\u2068group_01\u2069 (\u2068Team 1\u2069): 189 of \u2068180 minutes\u2069; 1 session, 08:05 to 11:15; warned 10:45; stopped 11:15; 10.0 minutes past the limit\n\u2068group_02\u2069 (\u2068Team 2\u2069): 0 of \u2068180 minutes\u2069\n\u2068group_03\u2069 (\u2068Team 3\u2069): 59 of \u2068180 minutes\u2069; 1 session, 23:00 to after midnight\n\u2068group_04\u2069 (\u2068Team 4\u2069): 0 of \u2068180 minutes\u2069\n", "html": "<!DOCTYPE html>\n<html lang=\"en\" dir=\"ltr\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>Data Engineering, Sun 03 Nov 2030: 2 of 4 clusters ran, 1 stopped at the limit, polls were missing</title>\n<style>\n.label { display: none; }\n@media screen and (max-width: 760px) {\n  thead { display: none !important; }\n  table.days, .days tbody, .days tfoot, .days tr, .days td { display: block !important; width: auto !important; }\n  .days tr { padding: 10px 0 !important; border-bottom: 2px solid #cbd2d9 !important; }\n  .days td { padding: 1px 0 !important; border: 0 !important; text-align: start !important; }\n  .days td.empty { display: none !important; }\n  .label { display: inline-block !important; min-width: 10.5em; color: #52606d; font-weight: 400; }\n}\n@media print {\n  @page { size: A4 landscape; margin: 12mm; }\n  body { background: #ffffff !important; padding: 0 !important; font-size: 10pt !important; }\n  .sheet { border: 0 !important; padding: 0 !important; max-width: none !important; }\n  tr, img { break-inside: avoid; }\n}\n</style>\n</head>\n<body style=\"margin: 0; padding: 20px 10px; background: #f4f5f7; color: #1f2933; font: 14px/1.45 system-ui, ''Segoe UI'', Arial, sans-serif;\">\n<div class=\"sheet\" style=\"max-width: 1120px; margin: 0 auto; padding: 20px; background: #ffffff; border: 1px solid #d9dee5; border-radius: 8px;\">\n<h1 style=\"margin: 0; font-size: 22px;\"><bdi>Data Engineering</bdi></h1>\n<p style=\"margin: 2px 0 14px; color: #52606d; font-size: 16px;\">Sunday, 03 November 2030</p>\n<p style=\"margin: 0 0 6px;\"><strong>4.2 hours</strong> were used by <strong>2 of 4 clusters</strong> in 2 sessions. 1 warned, 1 stopped, 10.0 minutes past limits. 234 minutes by staff, by the deploy or in windows are not counted.</p>\n<p style=\"margin: 0 0 14px; color: #a61b1b; font-weight: 600;\">Polls: 18 seen, 64 expected at the least; the longest time without one was 660 minutes.</p>\n<p style=\"margin: 0 0 14px;\"><img src=\"cid:day-picture\" alt=\"Minutes used by each cluster, with marks at its soft and hard limits; the table says the same.\" style=\"display: block; width: 100%; max-width: 946px; height: auto;\"></p>\n<table class=\"days\" style=\"border-collapse: collapse; width: 100%; font-size: 13px;\">\n<thead>\n<tr>\n<th style=\"padding: 6px 10px; border-bottom: 2px solid #9aa5b1; color: #52606d; font-weight: 600; vertical-align: bottom; text-align: start;\">Group</th>\n<th style=\"padding: 6px 10px; border-bottom: 2px solid #9aa5b1; color: #52606d; font-weight: 600; vertical-align: bottom; text-align: end;\">Used, min</th>\n<th style=\"padding: 6px 10px; border-bottom: 2px solid #9aa5b1; color: #52606d; font-weight: 600; vertical-align: bottom; text-align: start;\">Limit</th>\n<th style=\"padding: 6px 10px; border-bottom: 2px solid #9aa5b1; color: #52606d; font-weight: 600; vertical-align: bottom; text-align: end;\">Sessions</th>\n<th style=\"padding: 6px 10px; border-bottom: 2px solid #9aa5b1; color: #52606d; font-weight: 600; vertical-align: bottom; text-align: start;\">First start</th>\n<th style=\"padding: 6px 10px; border-bottom: 2px solid #9aa5b1; color: #52606d; font-weight: 600; vertical-align: bottom; text-align: start;\">Last stop</th>\n<th style=\"padding: 6px 10px; border-bottom: 2px solid #9aa5b1; color: #52606d; font-weight: 600; vertical-align: bottom; text-align: start;\">Warned</th>\n<th style=\"padding: 6px 10px; border-bottom: 2px solid #9aa5b1; color: #52606d; font-weight: 600; vertical-align: bottom; text-align: start;\">Stopped</th>\n<th style=\"padding: 6px 10px; border-bottom: 2px solid #9aa5b1; color: #52606d; font-weight: 600; vertical-align: bottom; text-align: end;\">Past limit, min</th>\n<th style=\"padding: 6px 10px; border-bottom: 2px solid #9aa5b1; color: #52606d; font-weight: 600; vertical-align: bottom; text-align: end;\">Not counted, min</th>\n</tr>\n</thead>\n<tbody>\n<tr style=\"background: #fdf1f0;\">\n<td style=\"padding: 6px 10px; border-bottom: 1px solid #e4e7eb; text-align: start; vertical-align: top;\"><strong><bdi>group_01</bdi></strong><br><bdi style=\"color: #52606d;\">Team 1</bdi></td>\n<td style=\"padding: 6px 10px; border-bottom: 1px solid #e4e7eb; text-align: end; vertical-align: top; font-variant-numeric: tabular-nums; white-space: nowrap;\"><span class=\"label\">Used, min </span>189 <span style=\"color: #52606d;\">(106 %)</span></td>\n<td style=\"padding: 6px 10px; border-bottom: 1px solid #e4e7eb; text-align: start; vertical-align: top;\"><span class=\"label\">Limit </span><bdi>180 minutes</bdi></td>\n<td style=\"padding: 6px 10px; border-bottom: 1px solid #e4e7eb; text-align: end; vertical-align: top; font-variant-numeric: tabular-nums;\"><span class=\"label\">Sessions </span>1</td>\n<td style=\"padding: 6px 10px; border-bottom: 1px solid #e4e7eb; text-align: start; vertical-align: top;\"><span class=\"label\">First start </span>08:05</td>\n<td style=\"padding: 6px 10px; border-bottom: 1px solid #e4e7eb; text-align: start; vertical-align: top;\"><span class=\"label\">Last stop </span>11:15</td>\n<td style=\"padding: 6px 10px; border-bottom: 1px solid #e4e7eb; text-align: start; vertical-align: top;\"><span class=\"label\">Warned </span>10:45</td>\n<td style=\"padding: 6px 10px; border-bottom: 1px solid #e4e7eb; text-align: start; vertical-align: top;\"><span class=\"label\">Stopped </span>11:15</td>\n<td style=\"padding: 6px 10px; border-bottom: 1px solid #e4e7eb; text-align: end; vertical-align: top; font-variant-numeric: tabular-nums;\"><span class=\"label\">Past limit, min </span>10.0</td>\n<td style=\"padding: 6px 10px; border-bottom: 1px solid #e4e7eb; text-align: end; vertical-align: top; font-variant-numeric: tabular-nums;\" class=\"empty\"><span class=\"label\">Not counted, min </span></td>\n</tr>\n<tr>\n<td style=\"padding: 6px 10px; border-bottom: 1px solid #e4e7eb; text-align: start; vertical-align: top;\"><strong><bdi>group_02</bdi></strong><br><bdi style=\"color: #52606d;\">Team 2</bdi></td>\n<td style=\"padding: 6px 10px; border-bottom: 1px solid #e4e7eb; text-align: end; vertical-align: top; font-variant-numeric: tabular-nums; white-space: nowrap;\"><span class=\"label\">Used, min </span>0 <span style=\"color: #52606d;\">(0 %)</span></td>\n<td style=\"padding: 6px 10px; border-bottom: 1px solid #e4e7eb; text-align: start; vertical-align: top;\"><span class=\"label\">Limit </span><bdi>180 minutes</bdi></td>\n<td style=\"padding: 6px 10px; border-bottom: 1px solid #e4e7eb; text-align: end; vertical-align: top; font-variant-numeric: tabular-nums;\" class=\"empty\"><span class=\"label\">Sessions </span></td>\n<td style=\"padding: 6px 10px; border-bottom: 1px solid #e4e7eb; text-align: start; vertical-align: top;\" class=\"empty\"><span class=\"label\">First start </span></td>\n<td style=\"padding: 6px 10px; border-bottom: 1px solid #e4e7eb; text-align: start; vertical-align: top;\" class=\"empty\"><span class=\"label\">Last stop </span></td>\n<td style=\"padding: 6px 10px; border-bottom: 1px solid #e4e7eb; text-align: start; vertical-align: top;\" class=\"empty\"><span class=\"label\">Warned </span></td>\n<td style=\"padding: 6px 10px; border-bottom: 1px solid #e4e7eb; text-align: start; vertical-align: top;\" class=\"empty\"><span class=\"label\">Stopped </span></td>\n<td style=\"padding: 6px 10px; border-bottom: 1px solid #e4e7eb; text-align: end; vertical-align: top; font-variant-numeric: tabular-nums;\" class=\"empty\"><span class=\"label\">Past limit, min </span></td>\n<td style=\"padding: 6px 10px; border-bottom: 1px solid #e4e7eb; text-align: end; vertical-align: top; font-variant-numeric: tabular-nums;\"><span class=\"label\">Not counted, min </span>234</td>\n</tr>\n<tr>\n<td style=\"padding: 6px 10px; border-bottom: 1px solid #e4e7eb; text-align: start; vertical-align: top;\"><strong><bdi>group_03</bdi></strong><br><bdi style=\"color: #52606d;\">Team 3</bdi></td>\n<td style=\"padding: 6px 10px; border-bottom: 1px solid #e4e7eb; text-align: end; vertical-align: top; font-variant-numeric: tabular-nums; white-space: nowrap;\"><span class=\"label\">Used, min </span>59 <span style=\"color: #52606d;\">(33 %)</span></td>\n<td style=\"padding: 6px 10px; border-bottom: 1px solid #e4e7eb; text-align: start; vertical-align: top;\"><span class=\"label\">Limit </span><bdi>180 minutes</bdi></td>\n<td style=\"padding: 6px 10px; border-bottom: 1px solid #e4e7eb; text-align: end; vertical-align: top; font-variant-numeric: tabular-nums;\"><span class=\"label\">Sessions </span>1</td>\n<td style=\"padding: 6px 10px; border-bottom: 1px solid #e4e7eb; text-align: start; vertical-align: top;\"><span class=\"label\">First start </span>23:00</td>\n<td style=\"padding: 6px 10px; border-bottom: 1px solid #e4e7eb; text-align: start; vertical-align: top;\"><span class=\"label\">Last stop </span>after midnight</td>\n<td style=\"padding: 6px 10px; border-bottom: 1px solid #e4e7eb; text-align: start; vertical-align: top;\" class=\"empty\"><span class=\"label\">Warned </span></td>\n<td style=\"padding: 6px 10px; border-bottom: 1px solid #e4e7eb; text-align: start; vertical-align: top;\" class=\"empty\"><span class=\"label\">Stopped </span></td>\n<td style=\"padding: 6px 10px; border-bottom: 1px solid #e4e7eb; text-align: end; vertical-align: top; font-variant-numeric: tabular-nums;\" class=\"empty\"><span class=\"label\">Past limit, min </span></td>\n<td style=\"padding: 6px 10px; border-bottom: 1px solid #e4e7eb; text-align: end; vertical-align: top; font-variant-numeric: tabular-nums;\" class=\"empty\"><span class=\"label\">Not counted, min </span></td>\n</tr>\n<tr>\n<td style=\"padding: 6px 10px; border-bottom: 1px solid #e4e7eb; text-align: start; vertical-align: top;\"><strong><bdi>group_04</bdi></strong><br><bdi style=\"color: #52606d;\">Team 4</bdi></td>\n<td style=\"padding: 6px 10px; border-bottom: 1px solid #e4e7eb; text-align: end; vertical-align: top; font-variant-numeric: tabular-nums; white-space: nowrap;\"><span class=\"label\">Used, min </span>0 <span style=\"color: #52606d;\">(0 %)</span></td>\n<td style=\"padding: 6px 10px; border-bottom: 1px solid #e4e7eb; text-align: start; vertical-align: top;\"><span class=\"label\">Limit </span><bdi>180 minutes</bdi></td>\n<td style=\"padding: 6px 10px; border-bottom: 1px solid #e4e7eb; text-align: end; vertical-align: top; font-variant-numeric: tabular-nums;\" class=\"empty\"><span class=\"label\">Sessions </span></td>\n<td style=\"padding: 6px 10px; border-bottom: 1px solid #e4e7eb; text-align: start; vertical-align: top;\" class=\"empty\"><span class=\"label\">First start </span></td>\n<td style=\"padding: 6px 10px; border-bottom: 1px solid #e4e7eb; text-align: start; vertical-align: top;\" class=\"empty\"><span class=\"label\">Last stop </span></td>\n<td style=\"padding: 6px 10px; border-bottom: 1px solid #e4e7eb; text-align: start; vertical-align: top;\" class=\"empty\"><span class=\"label\">Warned </span></td>\n<td style=\"padding: 6px 10px; border-bottom: 1px solid #e4e7eb; text-align: start; vertical-align: top;\" class=\"empty\"><span class=\"label\">Stopped </span></td>\n<td style=\"padding: 6px 10px; border-bottom: 1px solid #e4e7eb; text-align: end; vertical-align: top; font-variant-numeric: tabular-nums;\" class=\"empty\"><span class=\"label\">Past limit, min </span></td>\n<td style=\"padding: 6px 10px; border-bottom: 1px solid #e4e7eb; text-align: end; vertical-align: top; font-variant-numeric: tabular-nums;\" class=\"empty\"><span class=\"label\">Not counted, min </span></td>\n</tr>\n</tbody>\n<tfoot>\n<tr style=\"font-weight: 600;\">\n<td style=\"padding: 6px 10px; border-bottom: 1px solid #e4e7eb; text-align: start; vertical-align: top;\">Together</td>\n<td style=\"padding: 6px 10px; border-bottom: 1px solid #e4e7eb; text-align: end; vertical-align: top; font-variant-numeric: tabular-nums;\"><span class=\"label\">Used, min </span>249</td>\n<td style=\"padding: 6px 10px; border-bottom: 1px solid #e4e7eb; text-align: start; vertical-align: top;\" class=\"empty\"></td>\n<td style=\"padding: 6px 10px; border-bottom: 1px solid #e4e7eb; text-align: end; vertical-align: top; font-variant-numeric: tabular-nums;\"><span class=\"label\">Sessions </span>2</td>\n<td style=\"padding: 6px 10px; border-bottom: 1px solid #e4e7eb; text-align: start; vertical-align: top;\" class=\"empty\"></td>\n<td style=\"padding: 6px 10px; border-bottom: 1px solid #e4e7eb; text-align: start; vertical-align: top;\" class=\"empty\"></td>\n<td style=\"padding: 6px 10px; border-bottom: 1px solid #e4e7eb; text-align: start; vertical-align: top;\"><span class=\"label\">Warned </span>1</td>\n<td style=\"padding: 6px 10px; border-bottom: 1px solid #e4e7eb; text-align: start; vertical-align: top;\"><span class=\"label\">Stopped </span>1</td>\n<td style=\"padding: 6px 10px; border-bottom: 1px solid #e4e7eb; text-align: end; vertical-align: top; font-variant-numeric: tabular-nums;\"><span class=\"label\">Past limit, min </span>10.0</td>\n<td style=\"padding: 6px 10px; border-bottom: 1px solid #e4e7eb; text-align: end; vertical-align: top; font-variant-numeric: tabular-nums;\"><span class=\"label\">Not counted, min </span>234</td>\n</tr>\n</tfoot>\n</table>\n</div>\n</body>\n</html>\n"}, "recipients": {"to": [{"address": "admin@campus.example"}], "cc": []}, "replyTo": [], "attachments": [{"name": "report-2030-11-03.png", "contentType": "image/png", "contentInBase64": "iVBORw0KGgoAAAANSUhEUgAAA7IAAAENCAYAAAAyg1l9AAAAJnRFWHRDb21tZW50AHRlYWNoaW5nLWxhYiByZXBvcnQgMjAzMC0xMS0wM+kOCfEAAAAJcEhZcwAAEOsAABDrAVCU6HwAAEFjSURBVHic7d17XFVV/v/xt4CAgnITBUFBURC1wARHmUTwfqPUMhw1bfoqpmblNNrFS5lNpWNTmZU200W0ab5q2jQzTdPFylL7VqaomHcQRAG5SIhy9fz+8OcejxzgYMjh5Ov5ePR4tNZee+3PPmex4eNee+1mJpPJJAAAAAAA7ISDrQMAAAAAAKA+SGQBAAAAAHaFRBYAAAAAYFdIZAEAAAAAdoVEFgAAAABgV0hkAQAAAAB2hUQWAAAAAGBXSGQBAAAAAHaFRBYAAAAAYFdIZAEAAAAAdoVEFmhkFRUVSk9PV1VVla1DgZVKS0uVnp7e4P2Wl5crPT1dFy9etFhuqH6B64lr2vVVVVWlrKws5ebmWtX+p59+0qlTp2osX6uG6udGUFRUpNOnTzfqMfPy8pSXl1fj9jNnzig/P7/G8rVqqH6Aa+Fk6wDwy7XiH9k6llPeaMcLaees3yf4NdrxrtWxY8cUHh6u06dPy8+v8eI9/MenVHLsSKMdzy2kq0LnLW6041mjrKxMp0+fVlBQkJo1a2Z1m2+++Ubx8fGqqKiQk1PDXTb37t2r6OhoFRYWytPTs1q5ofq15ryvl8zT+Sota7zrgKuLszr4+zTa8S6z5Wd8LRoyXltd024EGzdu1PTp09WqVSuNGDFCK1as0Llz59S+ffsa93nzzTf1l7/8Rfv377dYvlZX9/PTTz/VGcuN6uWXX9Y///lPffPNN412zN///veSpLffftvi9pkzZ6pNmzZavXq1xfK1urqf3NxcOTk5ydvb+2f1C1iDRBbXzbGccu3LuGDrMPD/lRw7op/27rZ1GDa1e/du9evXT8XFxXJ3d7/mNteLi4uLgoKC5ODw8ybLXN2PLc+ptKxcJRfKGvWYtmDLz/ha2Fu8N6rHHntMS5cu1Zw5cyRJK1as0Pr167Vnzx6r+2jdurUCAgJ+dixX9/P666/XOxY0HW3btpWXl1eD95OUlKTAwECtWrXqZ/cN1IWpxbhhnT9/XhkZGWZ1NU2Ru3DhggoLC2vsKz8/X+fOnatxe0VFhc6cOfPzAv6Fu3L6rslkUk5OTrXvoaqqSunp6UpPT1dWVlatU2ev/s4qKyuNqV4ZGRlKT0+vNg3LmjbSpSlcJpOpxmPXNR5qEhYWpi+++MJILK7+THJzc80+k7KyMovTDa/sx9pzulFdPW28tu/WZDIpOzu72nd7LZ9xYWFhjWOkpuNI1l236jona+LlmtZwavv9UdN3ffnxgIyMDLVu3Vrp6enKyclRYWGhsS09PV3FxcV1Hv/OO+/UW2+9ZZSvnPZaWVlZ7RpSXFyss2fP1trPuXPnrimWG1FlZaUKCgqq1ZeUlBifXU0/S1d+VyUlJdV+9gsKCnThwrXdMFiyZIl+97vfGeXL40u6dJ25eszm5eVZPNaV/eTn5+v8+fMqLi42zq2iouKa4gOsQSKLG9aHH36om2++2azu0KFD6tSpk/FL5cyZMxo0aJC8vb0VGhqqHj166KuvvjLab9u2TT179lSnTp3Uvn17RUdHa9++fWZ9vv3222rTpo26du0qX19fJScnX/+Ts0PffPONOnXqpCeffFLe3t7q2rWrOnTooI8//thoc+bMGcXFxSkuLk5RUVFyd3fX3LlzzZK7mr6zrKwszZo1S5I0YsQIxcXF6Q9/+INZDHW1Wb58uXx9fRUaGqq2bdvqww8/NNvfmvFQm71796pTp0766aefzD6T+fPnq23bturatavat2+vTz/9VI8++qj8/f3VpUsXde3aVYcOHbLYjzXnfSO7/Bk/88wztX63GzduVGBgoMLCwuTt7a3bbrvNeC6sPp/xtm3bdPPNN8vPz08dOnTQHXfcYfZHbm3Hkay7btV1TrXFyzWt4dT1+6O27/ro0aOKi4tTRUWF5s+fr7i4OL3wwgt67bXXjG1xcXH64IMP6ozjzTff1NChQ43yyy+/rCFDhmjs2LHy9/dXUFCQIiIitHfvXo0ZM0ZBQUHy8/PTkCFDzBLsK/v56KOPrimWG0lJSYnuuece42e9Z8+eOnLkv4/3bN261fjsunXrJl9fX7355ptmfbz88ssaOnSo7r77brVv316xsbGSpLNnz2rYsGFq27atAgICNGjQoHo/kztz5kwtWLDAKE+dOlVTp05VVFSUgoOD5evrq7Fjx2rPnj265ZZb1K1bN3l4eJglv1f388c//lFff/21tmzZYpxbWlpaveIC6oOpxUAtnn76aVVVVSk/P18tW7bU4cOH9a9//Uv9+/fXsWPHlJCQoNdee00TJ07UxYsX9eSTT+r2229XamqqWrRooUOHDmnatGl68803NWXKFGVmZmrgwIG2Pq0mbevWrUpPT1erVq305JNPKjExUWlpafL09JSfn5/ZnaZjx45p8ODBCg8PV1JSkqTav7MtW7aoX79+Sk1NtTidMigoyGKbL774QpK0Z88enThxQi1bttRjjz2me++9V6dOnZKDg4NV4+FaZWZmKjMzU87OzpowYYJGjhyp3/zmN8rOzpaDg4PGjBmjRx55RO+//77V5wRztX23R44c0aRJk/TSSy/pvvvu05kzZzR8+HDdf//9evfdd63+jA8fPqzhw4dr7ty52rVrlxwdHfX+++8rNTVV/fv3r/M4DXVONcVrT9e0i5UXVFnceM/8X8mpVVc5ONX981zbtaiu77p79+5KT0+Xk5OT1q5dq+HDh0uS2rRp0yDTeVNTU/Xb3/5WW7ZsUVFRkfr06aOoqCi98MILev/995Wfn69bbrlFq1evNp69vNKdd96p9PR0m0wtLi0tVdqJzEY95mWdgjrI1dXVqrb79+/X5MmT9dZbb6m8vFyjR4/W/PnztWXLFklSQkKCEhISjPYff/yxxowZo+joaN10001m/YwbN06FhYXG4yIPP/ywcnNzderUKfn6+mrlypV66KGHNHXq1J91fh9//LH+85//aMCAAUpNTVWvXr30+eef68MPP1RMTIx27dqlPn366K677lLfvn2r7f/cc8/p4MGDTC1GoyGRBWpRUFAgf39/tWzZUpIUGhqq0NBQSdLq1asVGRmp2NhYZWZmymQy6Z577tGyZcu0a9cu3XrrrXr99dcVHR2tKVOmSJI6dOigxx9/XPfee6/Nzqmpe/bZZ+Xh4SFJWrx4sV5//XW9++67mjlzptHm8jRbR0dHjRo1Sh999JGRyNb2nf1cy5YtM/r9n//5Hz333HM6efKkOnbsaNV4uFbPPvus8cdTYmKiNm7cqGXLlsnZ2VmSNH78eC1cuPDnn+ANrLbvds2aNerZs6cxBtu2batnnnlGI0eO1MqVK+Xr62vVMV577TV17txZTz/9tLHA0rhx44ztDXUca87JEnu6plUWH9Hpf0Q06jEv809IkbPXzXW2q+1a1NDfdX0FBATo4YcfliR5eHho5MiR+sc//qHZs2dLknx8fDR06FDt2rXrusZxLdJOZGrE2N/Y5Nj/3vKuwsO6WtU2ICBAjzzyiKRL6xZMmjRJixdXXwCxoqJCOTk5Cg0N1U033aRPPvnELJH18fHR4sWLjST2woULSk5O1qZNm9S2bVtJ0oMPPqjXXnvt556exowZowEDBkiSevTooYiICPXo0UMxMTGSpN69eys0NFS7du2ymMgCjY1EFqjFQw89pNGjR6tnz54aPny4hg8frsGDB0u69K+ku3fvrpag+Pv7G9PDjhw5op49e5ptv3paIMxd+Xk5OTkpPDzcmI5VUVGhOXPmKDk5Wa6urmrdurWKiorMEtXavrOfq0OHDsb/X76LdXkasDXj4VoFBgYa/+/m5iZHR0ez1WHd3Nx4Pu1nqu27PXz4sCIizJOmyMhImUwmHT161Oqk48CBA4qKiqpxleCGOs5ltZ2TJVzTGlZt16KG/q7r68prinTpGmKprrFfIfNLcvXn6e7ubvbzd/LkSU2fPl2fffaZPD091bJlS+Xm5lb7+QsODpajo6NRTktLU2VlZbWfwyuT34aKuaZxwe8bNBUksrhhWfpj8urFhXr37q0TJ07oyy+/1NatW3X33Xfr1ltv1caNG+Xo6KihQ4dq06ZNNR7DxcVF5eXmrx4pLS1tmBP4hbL0eV2+G/nSSy/p448/1v79+9W5c2dJ0sKFC/XRRx8Z7Wv7zq4na8YD7JOrq6vKysxXXr5ctnaaoSQ5OzvXujCLNcex5rp1rbimNazarkUNNaZgv+6//345OTkpJyfHWPU3Li6u2s/z1a98c3FxkWT5d6Wbm9t1jBhoekhkccNq06aNfvrpJ124cMF4fnHv3r1mbaqqquTs7KwhQ4ZoyJAhiouL0/Dhw1VSUqKYmBg9//zzKiwsNFt6/vLqoM2aNVNERITefvttXbx40ZgWtG3btkY6Q/v01VdfGdMtz549q3379umhhx6SdOmO0YABA4wkVpK+/PJLs/1r+84u/wFQWVlZ4/GtaWOJNePBVq71nHBJZGSk1qxZo6qqKuPOyBdffKEWLVqoa9dL0wyt+Yz79eunVatWmV1zJBnXB2uOY811yxqW4rWna5pTq67yT0hp9ONePrY1arsWWfNdW+Li4tJkfo5tFUunoA7695b6PzPeUMduKPv379djjz1m/KwVFRVpz549ioyMrHW/oKAgeXp66quvvlJ4eLikS/8I8u2332rEiBENFt+1akpjFL98JLK4Yd1yyy3y8fHR7373O91///06dOiQHn/8cbM2EydO1C233KKBAwfK2dlZb7/9tsLDw+Xm5qZZs2bprbfe0qhRo7RkyRL5+/tr7969+tOf/qStW7eqdevWmjlzpp5//nnNmDFDs2fPVmpqqpYvX26jM7YPv/vd7+Tq6qq2bdtq8eLFCggI0B133CFJio6O1hNPPKF///vf8vf31xtvvKEdO3aoV69exv61fWfBwcFq3ry5NmzYoCFDhqhVq1Zq06aN2fEttbGGNePBVqw5b9Rs1qxZevHFF/Xb3/5Wc+fOVVpamubNm6d58+YZU3at+Yxnzpyp119/XWPGjNGCBQvUokULrVu3TsOGDdOoUaOsOo411y1rWIrXnq5pDk4trHpO1Zbq+v1R13dtSWhoqI4fP66vvvpKHTp0kI+Pj9XXqIZmq1hcXV2tfk61KYuOjtZrr72mm266SVVVVVq4cKFVU3adnJw0b948LViwQD4+PurcubOWLVvWZF6rFhoaqr///e/at2+fWrVqpYCAADVv3tzWYeEXitfv4IbVqlUr/etf/1JaWpoSExO1YcMGvfbaawoKCjL+hfy1117T2bNnNXv2bE2dOlXu7u7GNFZPT0/t3LlTMTExmj9/viZOnKiPPvpIb7zxhpG0+Pj4aOvWrcrMzNTEiRO1efNmvf3222bHgLm//OUveuWVV3T33XfLzc1NH3/8sTG16r777tP999+vxx57TJMnT1ZVVZWeeuoptW/f3ti/tu/My8tLb7zxht566y0NGjTI4itSLLVxdXVVUFCQ2V1VR0dHBQUFGQsuWTMerubi4qKgoCDjztbVZUvHbdGihYKDg836cXNzM1vA5+p+rDnvG5W13+3XX3+tiooKTZgwQc8995weffRRPfHEE8Y+1o6tnTt3KiQkRLNmzdKDDz6osLAwjRw50urjWHPdsuacLMXLNa1h1fX7o67vWrr0Dw5X3r0fOnSoHnjgAT3wwAOKj4+3+Mqb1q1bKyAgoMayp6en/P39zfbx8vIye+5ekry9vdWuXbsa+7EmlhuVpc/46uv0yy+/rIiICN1zzz164IEHNHjwYN19993y9vautR9JevTRR/XQQw/pySef1KxZs9S9e3fNmTOn1n+gbNu2rXx8fGost2vXzuzYkuTn52c2O0OS2rdvbyzIaKmfBx98UBEREZowYQKv38F118xU05vfgZ9pxT+ydSynvO6GDSSknbN+n+BXd8Mb1OE/PqWSY433ugq3kK4KnVd9hcaafPHFF4qPj1dFRUW1Z4JgvzJP56u0rPGuA64uzurg71N3QwAAYNdIZAE0CSSyAAAAsBZTiwE0CZamQwIAAACWcEcWAAAAAGBXuCMLAAAAALArJLIAAAAAALtCIgsAAAAAsCsksgAAAAAAu0IiCwAAAACwKySyAAAAAAC7QiILAAAAALArJLIAAAAAALtCIgsAAAAAsCsksgAAAAAAu0IiCwAAAACwKySyAAAAAAC7QiJ7DbKy81RVVWXrMIBrUlVVxRiGXWMMw54xfmHvGMNoKkhkAQAAAAB2hUQWAAAAAGBXSGQBAAAAAHaFRBYAAAAAYFdIZAEAAAAAdoVEFgAAAABgV5xsHQAAAMCNoOpCjooOvqKqklIVnXaVR7fZcmzRztZhwYIzefla/7dNRnnyhDvl28bHhhEBuBqJLAAAQCOoKs1R8b6lkqRiSe7Bd5LINlF5+QV66dU/G+XhQwaSyAJNDFOLAQAAAAB2hUQWAAAAAGBXSGQBAAAAAHaFZ2SvQeKr+ZLybR0G8DMxhmHvGMOwLx2c0/Vcx/+Wp76SrsxyF9sFhBqVn80wK38/ZZxyHU02iuaSATv22/T4QFPDHVkAAAAAgF0hkQUAAAAA2BUSWQAAAACAXSGRBQAAAADYFRJZAAAAAIBdIZEFAAAAANgVElkAAAAAgF0hkQUAAAAA2JVfdCKbm5urOXPmqF+/fho1apTef//9am2ysrL05JNPKioqSgsWLGj8IAEAAAAA9fKLTWTLysoUFxenAwcO6KmnntLgwYM1fvx4bdiwwWhz8OBB/frXv5bJZJKjo6NOnDhhw4gBAAAAANaoMZHNyMjQPffco5iYGE2ZMkU7d+5UZGSkDh06JElKT09XZGSktm/frokTJyo6OlqffvqpJOn777/XhAkT1KdPH40dO9aov2zlypW67777zOo++OADDRs2zCgnJycrMTFRmzdv1rhx4xQTE6PFixerrKzMqhNbv369jh8/rvfee09DhgzR3LlzNWPGDC1cuNBo06lTJx07dkxLliyRl5eXVf0CAAAAAGzLYiJbXl6u+Ph4ZWdna+nSpRo0aJDGjh2rlJQUXbhwQZJUWlqqlJQUJSYmaujQoVqzZo2io6OVmpqq/v37y8/PTytWrFCvXr00YsQIffLJJ0b/p06d0tGjR82OWVBQoNTUVKOcm5urLVu2aMmSJZo2bZrmzZundevWadasWVad2GeffaaYmBh5enoadaNHj9aRI0eUmZkpSXJxcZGjo6N1nxQAAAAAoElwslT517/+Vfn5+UpJSZG7u7ukS8ltUlJStbbPPPOMpkyZYpSTkpI0YMAAvfjii5Kk2NhYZWRkaOHChRoyZEi9gqusrNSGDRsUFhYmSfLy8tKgQYO0aNEiBQcH17pvZmamOnbsaFbXvn17Y1uHDh3qFQsAAAAAoGmweEd29+7dio6ONpJYSYqPj7fYQd++fc3Ku3bt0uDBg83qhg0bppSUFF28eLFewQUEBBhJrHQpKXZ0dFRKSkqd+1ZUVMjFxcWs7nK5oqKiXnEAAAAAAJoOi4lsSUmJWrZsaVZ3dbmmekv7urm5qby8XOXl5fUK7up+HBwc5OrqqnPnztW5r4+Pj/Lz883qLpd9fHzqFQcAAAAAoOmwmMh27txZBw8eNKu7ulyTLl266MCBA2Z1+/fvV0BAgFxdXSVdSmxLSkrM2pw6dapaXxkZGWbtTp48qeLiYoWEhNQZR+/evfXdd9/JZDIZdTt37pS7u7tCQ0OtOhcAAAAAQNNjMZGdNGmS0tLS9Oabb0qSzp8/r6VLl1rVYVJSkpKTk7Vnzx5JUlpamlauXKkZM2YYbSIjI7Vnzx4dPnxYknTixAmtWbOmWl+lpaV64oknJElVVVV65JFH1LNnT/Xp06fOOKZOnar8/Hy9+uqrkqScnBytWrVKU6dOlbOzs1XnAgAAAABoeiwmskFBQVq9erXmzJmjjh07KiAgQOHh4ZIkJyeL60MZJk+erKSkJPXt21chISEKDw/XwIEDNW/ePKPN6NGjdccdd+jmm29WaGio4uLiFBcXV62vkJAQHTlyRH5+fmrbtq22b9+u5ORkOTjU/frbkJAQvfPOO1q0aJECAwMVFBSkiIgILV++3KxdVFSUIiMjtWPHDn344YeKjIw0ew0QAAAAAKBpaWa6cu7tVUpKSnTy5EkFBwdr9+7d6tevn/Lz8+Xt7a2ysjL9+OOP6tGjh5o3b15t3+LiYmVmZsrPz0/e3t4W+8/Ly1NJSYk6duyowsJCZWdnq3v37pKkFStWaP369dqzZ4+KioqUnZ2tLl261Pt1OeXl5Tp+/Li8vLzUrl27attTUlJ09Ufg7OxsxGHJrYsP1SsGAACADs6H9FzH243yoxl/V2Z5WC17wFbKz2Yo99PHjPLSVmXq6Fjjn8yNYsCO/TY9/mVVVVXKPlMoP18vXmMJm6rx9uratWs1ZswYhYWFqaioSIsWLVJsbKyRlLq4uCgyMrLGjlu1alVrMihJbdq0UZs2bSRJ3t7eNSa8Hh4e8vDwqOtcLHJ2dla3bt1q3B4REXFN/QIAAAAAbKPGRNbV1VWhoaFq3bq1srKyFB0dreTk5MaMrVa33XabMjIyLG577LHHlJiY2MgRAQAAAAAaQ42JbGJiosaPH6+0tDT5+PjI09OzEcO6tFhTQkJCjduXLVumsrIyi9sCAwOvV1gAAAAAABurdeUmBwcHq151cz34+vrK19e3xu2XF58CAAAAANxY6l7+FwAAAACAJoREFgAAAABgV0hkAQAAAAB2hUQWAAAAAGBXal3sCZb97ywfXgINu8WLzGHvGMOwV+WFZTr9j/+W184OlrNXmO0CQo1+POSgEZ/+txyVvFnhYV1tFxCAargjCwAAAACwKySyAAAAAAC7QiILAAAAALArPCMLAADQCBxd26nVTYt0rqRU7m6ucnRtZ+uQUIM2Pt56cNZ0szKApqWZyWQy2ToIe5OVncciI7BbLJQDe8cYhj1j/MLeMYbRVDC1GAAAAABgV0hkAQAAAAB2hUQWAAAAAGBXSGQBAAAAAHaFRBYAAAAAYFd4/Q4AAEAjqLqQo6KDr6iqpFRFp13l0W22HFvwCp6m6Exevtb/bZNRnjzhTvm28bFhRACuRiILAADQCKpKc1S8b6kkqViSe/CdJLJNVF5+gV569c9GefiQgSSyQBPD1GIAAAAAgF0hkQUAAAAA2BUSWQAAAACAXeEZ2WtwpvCczhSes3UYwM/CGIa9YwzD3jiez1LrK8qHjmepqmXrGtvDdtLTs8zKh45nqexicxtF0zRxDb5xRIYH2zoEi7gjCwAAAACwKySyAAAAAAC7QiILAAAAALArJLIAAAAAALtCIgsAAAAAsCsksgAAAAAAu0IiCwAAAACwKySyAAAAAAC78otOZHNzczVnzhz169dPo0aN0vvvv2+2vaqqSu+8847Gjx+vW2+9Vb/97W+VkpJim2ABAAAAAFb5xSayZWVliouL04EDB/TUU09p8ODBGj9+vDZs2GC0eeihh/TRRx/prrvu0nPPPafWrVurT58++uabb2wYOQAAAACgNjUmshkZGbrnnnsUExOjKVOmaOfOnYqMjNShQ4ckSenp6YqMjNT27ds1ceJERUdH69NPP5Ukff/995owYYL69OmjsWPHGvWXrVy5Uvfdd59Z3QcffKBhw4YZ5eTkZCUmJmrz5s0aN26cYmJitHjxYpWVlVl1YuvXr9fx48f13nvvaciQIZo7d65mzJihhQsXGm2WL1+udevWGXdkX3rpJd1yyy1as2aNVccAAAAAADQ+i4lseXm54uPjlZ2draVLl2rQoEEaO3asUlJSdOHCBUlSaWmpUlJSlJiYqKFDh2rNmjWKjo5Wamqq+vfvLz8/P61YsUK9evXSiBEj9Mknnxj9nzp1SkePHjU7ZkFBgVJTU41ybm6utmzZoiVLlmjatGmaN2+e1q1bp1mzZll1Yp999pliYmLk6elp1I0ePVpHjhxRZmamJKlFixbV9nNxcVFlZaVVxwAAAAAAND4nS5V//etflZ+fr5SUFLm7u0u6lNwmJSVVa/vMM89oypQpRjkpKUkDBgzQiy++KEmKjY1VRkaGFi5cqCFDhtQruMrKSm3YsEFhYWGSJC8vLw0aNEiLFi1ScHBwrftmZmaqY8eOZnXt27c3tnXo0KHaPl988YW2bdumzZs31ytOAAAAAEDjsXhHdvfu3YqOjjaSWEmKj4+32EHfvn3Nyrt27dLgwYPN6oYNG6aUlBRdvHixXsEFBAQYSax0KSl2dHS0akGmiooKubi4mNVdLldUVFRrf/jwYd11112aNm2axowZU684AQAAAACNx2IiW1JSopYtW5rVXV2uqd7Svm5ubiovL1d5eXm9gru6HwcHB7m6uurcuXN17uvj46P8/HyzustlHx8fs/qjR49q4MCBGjp0qFavXl2vGAEAAAAAjctiItu5c2cdPHjQrO7qck26dOmiAwcOmNXt379fAQEBcnV1lXQpsS0pKTFrc+rUqWp9ZWRkmLU7efKkiouLFRISUmccvXv31nfffSeTyWTU7dy5U+7u7goNDTXqjh07pvj4eMXGxmrt2rVycPjFLuQMAAAAAL8IFrO2SZMmKS0tTW+++aYk6fz581q6dKlVHSYlJSk5OVl79uyRJKWlpWnlypWaMWOG0SYyMlJ79uzR4cOHJUknTpywuFJwaWmpnnjiCUmX3vn6yCOPqGfPnurTp0+dcUydOlX5+fl69dVXJUk5OTlatWqVpk6dKmdnZyO2y0nsunXr5OjoaNU5AgAAAABsx2IiGxQUpNWrV2vOnDnq2LGjAgICFB4eLklycrK4PpRh8uTJSkpKUt++fRUSEqLw8HANHDhQ8+bNM9qMHj1ad9xxh26++WaFhoYqLi5OcXFx1foKCQnRkSNH5Ofnp7Zt22r79u1KTk626q5pSEiI3nnnHS1atEiBgYEKCgpSRESEli9fbrSZP3++MjMztXfvXvXu3VuRkZGKjIw0W7wKAAAAANC0NDNdOff2KiUlJTp58qSCg4O1e/du9evXT/n5+fL29lZZWZl+/PFH9ejRQ82bN6+2b3FxsTIzM+Xn5ydvb2+L/efl5amkpEQdO3ZUYWGhsrOz1b17d0nSihUrtH79eu3Zs0dFRUXKzs5Wly5d6n3XtLy8XMePH5eXl5fatWtnti0tLU1FRUXV9nFzc1PXrl1r7HPPj+n1igEAAMDx/I9qnTrSKP/U40NVtQy3YUSoSXp6uh56+PdG+cXnV9T5xgzglyoyPNjWIVhU4+3VtWvXasyYMQoLC1NRUZEWLVqk2NhYIyl1cXFRZGRkjR23atXKSEpr0qZNG7Vp00aS5O3tXWPC6+HhIQ8Pj7rOxSJnZ2d169bN4rZOnTpdU58AAAAAANupMZF1dXVVaGioWrduraysLEVHRys5ObkxY6vVbbfdpoyMDIvbHnvsMSUmJjZyRAAAAACAxlBjIpuYmKjx48crLS1NPj4+8vT0bMSwLi3WlJCQUOP2ZcuWqayszOK2wMDA6xUWAAAAAMDGal25ycHBwapX3VwPvr6+8vX1rXH75cWnAAAAAAA3Fl6aCgAAAACwKySyAAAAAAC7QiILAAAAALArJLIAAAAAALtS62JPsMzXy11+vl5ydHS0dShAvVVVVSn7TCFjGHaLMQx7VV74k06n/rcc1jlAzl7BNosHNXNxqDArh3UOUHhYsG2CaWK4BqOp4I4sAAAAAMCukMgCAAAAAOwKiSwAAAAAwK7wjCwAAEAjcHRtp1Y3LdK5klK5u7nK0bWdrUNCDdr4eOvBWdPNygCalmYmk8lk6yDsTVZ2Hg+4w26xSAPsHWMY9ozxC3vHGEZTwdRiAAAAAIBdIZEFAAAAANgVElkAAAAAgF0hkQUAAAAA2BUSWQAAAACAXeH1OwAAAI2g6kKOig6+oqqSUhWddpVHt9lybMEreJqiM3n5Wv+3TUZ58oQ75dvGx4YRAbgaiSwAAEAjqCrNUfG+pZKkYknuwXeSyDZRefkFeunVPxvl4UMGksgCTQxTiwEAAAAAdoVEFgAAAABgV0hkAQAAAAB2hWdkr0Hiq/mS8m0dBvAzNY0x/PVTYbYOAQAAAHaGO7IAAAAAALtCIgsAAAAAsCsksgAAAAAAu0IiCwAAAACwKySyAAAAAAC7QiILAAAAALArJLIAAAAAALtCIgsAAAAAsCu/6EQ2NzdXc+bMUb9+/TRq1Ci9//771dps27ZNU6dOVUxMjMaNG6cNGzY0fqAAAAAAAKv9YhPZsrIyxcXF6cCBA3rqqac0ePBgjR8/3ixR/fvf/67nnntOw4YN0/PPP69Bgwbpnnvu0fPPP2/DyAEAAAAAtakxkc3IyNA999yjmJgYTZkyRTt37lRkZKQOHTokSUpPT1dkZKS2b9+uiRMnKjo6Wp9++qkk6fvvv9eECRPUp08fjR071qi/bOXKlbrvvvvM6j744AMNGzbMKCcnJysxMVGbN2/WuHHjFBMTo8WLF6usrMyqE1u/fr2OHz+u9957T0OGDNHcuXM1Y8YMLVy40GgzfPhwffjhh5o4caL69eun2bNna+LEidq8ebNVxwAAAAAAND6LiWx5ebni4+OVnZ2tpUuXatCgQRo7dqxSUlJ04cIFSVJpaalSUlKUmJiooUOHas2aNYqOjlZqaqr69+8vPz8/rVixQr169dKIESP0ySefGP2fOnVKR48eNTtmQUGBUlNTjXJubq62bNmiJUuWaNq0aZo3b57WrVunWbNmWXVin332mWJiYuTp6WnUjR49WkeOHFFmZqYkycXFxWyfs2fP6ttvv1VUVJRVxwAAAAAAND4nS5V//etflZ+fr5SUFLm7u0u6lNwmJSVVa/vMM89oypQpRjkpKUkDBgzQiy++KEmKjY1VRkaGFi5cqCFDhtQruMrKSm3YsEFhYWGSJC8vLw0aNEiLFi1ScHBwrftmZmaqY8eOZnXt27c3tnXo0MGoHzZsmE6ePKm0tDRNnjyZqcUAAAAA0IRZvCO7e/duRUdHG0msJMXHx1vsoG/fvmblXbt2afDgwWZ1w4YNU0pKii5evFiv4AICAowkVrqUFDs6OiolJaXOfSsqKqrdcb1crqioMKt/4YUX9MYbb+iZZ57R3/72N61evbpecQIAAAAAGo/FO7IlJSVq2bKlWd3V5ZrqLe3r5uam8vJylZeXy9XV1ergru7HwcFBrq6uOnfuXJ37+vj4KD8/36zuctnHx8esvnv37pIuJeWlpaV6/PHHNXv2bDVr1szqWAEAAAAAjcPiHdnOnTvr4MGDZnVXl2vSpUsXHThwwKxu//79CggIMJJYNzc3lZSUmLU5depUtb4yMjLM2p08eVLFxcUKCQmpM47evXvru+++k8lkMup27twpd3d3hYaG1rifr6+vzp07V+2uLQAAAACgabCYyE6aNElpaWl68803JUnnz5/X0qVLreowKSlJycnJ2rNnjyQpLS1NK1eu1IwZM4w2kZGR2rNnjw4fPixJOnHihNasWVOtr9LSUj3xxBOSpKqqKj3yyCPq2bOn+vTpU2ccU6dOVX5+vl599VVJUk5OjlatWqWpU6fK2dlZkrRmzRpjFWbp0rOzL730koYOHWq0AQAAAAA0LRYT2aCgIK1evVpz5sxRx44dFRAQoPDwcEmSk5PF2ciGyZMnKykpSX379lVISIjCw8M1cOBAzZs3z2gzevRo3XHHHbr55psVGhqquLg4xcXFVesrJCRER44ckZ+fn9q2bavt27crOTlZDg51v/42JCRE77zzjhYtWqTAwEAFBQUpIiJCy5cvN9p0795dkyZNUvv27RUSEqLQ0FBFRERo3bp1dfYPAAAAALCNZqYr595epaSkRCdPnlRwcLB2796tfv36KT8/X97e3iorK9OPP/6oHj16qHnz5tX2LS4uVmZmpvz8/OTt7W2x/7y8PJWUlKhjx44qLCxUdna28bzqihUrtH79eu3Zs0dFRUXKzs5Wly5d5OjoWK8TLC8v1/Hjx+Xl5aV27dpZbHPmzBn99NNP6tChg1V3Ym9dfKjONgCs8/VTYXU3Aq5QVVWl7DOF8vP1qvfvBMCWygv36vQ/Ioyyf0KKnL1utmFEqMmPh45oxNjfGOV/b3lX4WFdbRhR08E1GE1FjbdX165dqzFjxigsLExFRUVatGiRYmNjjaTUxcVFkZGRNXbcqlUrIymtSZs2bdSmTRtJkre3d40Jr4eHhzw8POo6F4ucnZ3VrVu3Wtv4+vrK19f3mvoHAAAAADSuGhNZV1dXhYaGqnXr1srKylJ0dLSSk5MbM7Za3XbbbcrIyLC47bHHHlNiYmIjRwQAAAAAaAw1JrKJiYkaP3680tLS5OPjI09Pz0YM69JiTQkJCTVuX7ZsmcrKyixuCwwMvF5hAQAAAABsrNaVmxwcHKx61c31UNd038uLTwEAAAAAbix1L/8LAAAAAEATQiILAAAAALArJLIAAAAAALtCIgsAAAAAsCu1LvYEy/53lg8vgYbd4kXmAAAAsHfckQUAAAAA2BUSWQAAAACAXSGRBQAAAADYFZ6RBQAAaASOru3U6qZFOldSKnc3Vzm6trN1SKhBGx9vPThrulkZQNPSzGQymWwdhL3Jys5joRzYLRZ7gr1jDMOeMX5h7xjDaCqYWgwAAAAAsCsksgAAAAAAu0IiCwAAAACwKySyAAAAAAC7QiILAAAAALArvH4HAACgEVRdyFHRwVdUVVKqotOu8ug2W44teAVPU3QmL1/r/7bJKE+ecKd82/jYMCIAVyORBQAAaARVpTkq3rdUklQsyT34ThLZJiovv0Avvfpnozx8yEASWaCJYWoxAAAAAMCukMgCAAAAAOwKiSwAAAAAwK6QyAIAAAAA7AqJLAAAAADArpDIAgAAAADsCoksAAAAAMCukMgCAAAAAOwKiSwAAAAAwK6QyAIAAAAA7AqJLAAAAADArpDIAgAAAADsyi86kc3Ly9PcuXPVv39/3X777frnP/9ZY9ucnBz1799fsbGxjRghAAAAAKC+frGJbFlZmeLi4rR79249/vjjuvXWWzVmzBht2rSpWluTyaQpU6aouLhYP/zwgw2iBQAAAABYq8ZE9uTJk5o2bZpiY2N177336ttvv1VUVJQOHz4sSTpx4oSioqL0zTffaMqUKerXr5+2bt0qSdq9e7cmT56smJgYjR8/Xp9//rlZ36tWrdLs2bPN6v75z39q1KhRRnn9+vWaNGmSPvjgA911112KjY3VU089pfLycqtO7J133tGRI0e0ZcsWjRgxQvPmzVNSUpIWLFhQre3y5cvl6OioadOmWdU3AAAAAMB2LCay5eXlio+P14kTJ7RgwQL9+te/VkJCgnbt2qXz589Lki5cuKBdu3bpzjvvVGxsrF566SX16tVLP/74o2JiYuTp6amnn35a4eHhGjp0qJHkSpeS5EOHDpkdMy8vTykpKUY5OztbmzZt0oIFCzR58mTNmTNHb7zxhu6//36rTuyzzz5TTEyMvLy8jLqEhAQdPnxYJ0+eNOr+7//+TytXrtRbb71lVb8AAAAAANtyslT57rvvKjc3Vz/88INatWolSaqsrNR9991Xre0f/vAHTZ061SjPnDlTt956q1atWiVJGjhwoE6ePKkFCxZo586d9QquoqJCGzduVLdu3SRJPj4+Gjp0qBYsWKCgoKBa983IyFDHjh3N6tq3b29sCwwMVFFRkX7zm99o9erVateuXb1iAwAAAADYhsU7sj/88IP69OljJLGSNGjQIIsd9OvXz6y8a9cuDRs2zKxu+PDh2r17ty5evFiv4AICAowkVpLi4uLk4OCgPXv21LlvRUWFXFxczOpatGhhbJOkpKQkDRs2TAkJCfWKCwAAAABgOxbvyJ47d04tW7Y0q3Nzc7PYwdXtiouLq7V1d3dXeXm5ysvL5erqanVwV/ft4OAgV1dXFRcX17mvj4+P8vPzzery8vKMbaWlpdqwYYN69OihqKgoSdKZM2d04cIFRUVF6fHHH9e4ceOsjhUAAAAA0DgsJrKdO3fW9u3bzeoOHjxoVYddunTRgQMHzOpSU1PVvn17I4l1c3MznrW97PTp09X6yszM1Pnz542ENisrS8XFxQoJCakzjltuuUVvvfWWTCaTmjVrJunS87Du7u4KDQ1V8+bN9d1335nts2HDBq1atUqrV6+uc+oyAAAAAMA2LE4tnjRpko4fP661a9dKurSw09NPP21Vh9OmTVNycrL27dsn6dLzqCtXrlRSUpLRJiIiQrt379axY8ckXUpY16xZU62vCxcuaMmSJZKkixcv6rHHHlP37t31q1/9qs44pk6dqtzcXKPfM2fOaNWqVbr77rvl7OysZs2aKSoqyuy/jh07ysHBQVFRUfL19bXqfAEAAAAAjctiIhscHKxXXnlFM2fOVOfOnRUQEKAuXbpIkpycLN7ENUyZMkW//e1vFR0drbCwMIWFhal///6aP3++0SYhIUG33367brrpJnXv3l39+/dX//79q/XVuXNn7d+/XwEBAfLz89Pnn3+utWvXysGh7tffdunSRevWrdOjjz6q4OBgdezYUeHh4frjH/9Y574AAAAAgKarxqx0+vTpSkxMVGZmpjp37qx9+/bp9ddfl7+/v6RLye53331XbbVfBwcHvfjii3ryySeVkZEhf3//anc3mzVrpr/97W/Kzs5WSUmJOnXqpMLCQmVlZZm1a9Wqlf71r3+poKBAp0+fVlhYWJ2J9JUSExN1++236+jRo/L29jZWLa6t/a9//Wur+wcAAAAANL4as8L169fr9ttvV48ePVRcXKxFixbp1ltvlY+PjyTJ1dXVWCTJEk9PT3l6etZ6cD8/P+P/fXx8jL6v5u3tLW9v71r7qomrq6t69uxpVVtfX1+mFAMAAABAE1djIuvg4KAuXbrI29tbmZmZioiI0Pr16xsztlqNHTtWmZmZFrfNnz9fd911VyNHBAAAAABoDDUmshMnTtRdd92lY8eOqU2bNjXeLb1e7r77bo0cObLG7UuXLlVpaanFbaw4DAAAAAC/XLU+cOrk5KSwsLDGisVMu3btqj1/eyVrpwsDAAAAAH5Z6l7+FwAAAACAJoREFgAAAABgV0hkAQAAAAB2hUQWAAAAAGBXSGQBAAAAAHaFRBYAAAAAYFdIZAEAAAAAdoVEFgAAAABgV5xsHQAAAMCNwNG1nVrdtEjnSkrl7uYqR9d2tg4JNWjj460HZ003KwNoWpqZTCaTrYOwN1nZefLz9ZKjo6OtQwHqraqqStlnChnDsFuMYdgzxi/sHWMYTQVTiwEAAAAAdoVEFgAAAABgV0hkAQAAAAB2hUQWAAAAAGBXSGQBAAAAAHaF1+/UU2VlpU6dOqXKshJWaoNdqqqqUm5+EWMYdosxDHvG+IW9YwzDVvz8/OTk9N/0ldfv1NPJkyfVoUMHW4cBAAAAADeMzMxMBQYGGmUS2XqqrKxUdna2rcMAAAAAgBsGd2QBAAAAAHaNxZ4AAAAAAHaFRBYAAAAAYFdIZAEAAAAAdoXX71jp0KFDeuONN5SVlaWwsDDNnDlTvr6+tg4LqOaRRx7RsWPHqtVv2rSpWt2+ffv01ltvKTc3Vz169NDMmTPl6enZCFEC/7V3716tXbtWJ06c0BNPPKGbbrrJYrvvv/9e69atU0FBgSIiInTffffJ3d39mtsBDWXXrl1KTk5WVlaWnn32WXXt2rVam+nTp6uwsNCszsfHR2vWrKnWdseOHfrrX/+qoqIi9e7dWzNmzFCLFi2uW/y4sWVlZendd99VamqqvLy8NHToUA0fPtxi288//1wbNmxQSUmJ+vbtq2nTpsnZ2fma2wE/B3dkrfDNN9+oV69eKiws1IgRI7Rjxw716tVLp06dsnVoQDWfffaZysvLNWHCBLP/rvbpp58qKipKlZWVGjZsmD766CNFR0eroKDABlHjRpWQkKC7775bFy5c0HvvvaecnByL7bZs2aKYmBi5urpq8ODB2rhxo2JiYnTu3Llragc0lPj4eCUlJRljOD8/32K7f/zjH2rVqpXZdfn222+v1m79+vWKj4+Xp6enBg4cqLVr12rAgAEqLS293qeCG9DmzZvVqVMnbdu2TbGxsfLw8FBiYqKmTp1are0rr7yikSNHqn379howYIBefvllDRs2TFVVVdfUDvjZTKhTVFSU6bbbbjPK5eXlppCQENP06dNtGBVgWe/evU0PP/xwne26du1qmjJlilEuKSkx+fn5mebNm3c9wwPMHDlyxGQymUzfffedSZLpk08+qdamoqLC5O/vb3rggQeMuoKCApOHh4fpD3/4Q73bAQ3p8hj+/PPPTZJMO3futNiuXbt2phdeeKHWvkpKSkze3t6mxx9/3KjLzs42tWjRwvTSSy81WMzAZa+88opp1apVZnX/+7//W20s5+fnm1q2bGlavny5UXfs2DGTo6Ojae3atfVuBzQE7sjW4cSJE/r+++81adIko6558+YaP368xamagD1ISUnRkSNHzMZ1y5YtNWbMGMY1GlWXLl3qbLN9+3adPn3abLx6eXlpxIgRZuPV2nZAQ7JmDFvr888/V0FBgdkYbteunQYNGsQYxnVx9913a/bs2WZ10dHRkqTjx48bdf/+9791/vx5s7HZuXNn9evXz2xsWtsOaAgksnXYv3+/JCk8PNysPjw8XIWFhUwvRpO0bds2TZ48WXPmzNHatWtVWVlptr22cZ2WlqaSkpJGixWoS23jNTU1Vab//zp0a9sBtvL3v/9dkyZN0ty5c7Vp06ZqY3L//v1ycHBQaGioWX14eLgxvoGG1KpVq2p1n3zyiSSpR48eRt3+/fvVunVrtW/f3qzt1WPT2nZAQyCRrcPlhRk8PDzM6i+Xr164AbA1Nzc3RUdHa9CgQfLz89Ojjz6q3r17mz23Vde4Pnv2bKPFC9SlsLBQzZo1q/YHl4eHh8rLy3X+/Pl6tQNswdvbW71799bQoUPl7u6u6dOna+DAgbpw4YLRprCwUG5ubnJyMl+L08PDQ2fPnuUfY3DdZWRkaMGCBRo6dKgiIiKM+sLCwmp/M0iXxuaVfwtb2w5oCKxaXIfLv0yufkD9cvnqXzaArW3ZskXe3t5GedKkSerZs6f+8Ic/6E9/+pMkxjXsi5OTk0wmky5evCgHh//+++vV49XadoAtfP3112bX5jFjxqhPnz567bXX9Lvf/U7SpTFqaUGcqqoqOTo6qlmzZo0WL248BQUFGjlypDw8PJScnGy2rbaxeeW11dp2QEPgjmwd/P39JanaSpqXy35+fo0eE1CbK/9QkqTg4GD17dtXO3fuNOpqG9fNmzeXj4/P9Q8UsNLl8Zqbm2tWn5OTIy8vL7m4uNSrHWALV1+be/fura5du1a7Np8/f77aKts5OTnG+Aauh3PnzmnkyJEqKirSp59+qnbt2plt9/f3V15eni5evGhWf/XYtLYd0BBIZOvQq1cvNW/eXN9++61Z/bfffqtu3bpZnD4BNDVnz56Vm5ubUY6OjlazZs0sjuvevXvzr6ZoUn71q19JksXxenlbfdoBTUVRUZHZtZkxDFsoLS1VQkKCMjIytHXrVgUHB1dr86tf/Url5eXas2ePWb2l67A17YCGQCJbh9atW2vChAlatWqVfvrpJ0nS0aNHtXHjRiUlJdk4OsDcwYMH9eWXX5rVJScna9euXRo/frxR1759e40ePVovvPCC8XxWSkqKPvzwQ8Y1mpxu3bqpf//+WrFihSoqKiRJO3bs0LZt28zGq7XtgMb27bffavfu3UbZZDLp2WefVXZ2ttm1OSoqSrfccouWLVtmTM/85JNP9P333zOGcV1UVFTozjvvVGpqqj799FN17drVYru4uDiFhobq2WefNZ7V3rhxo44dO6bp06fXux3QEJqZWDmgTmfPntWoUaN04sQJRUZG6quvvtLtt9+ut956S46OjrYODzCcOnVK9957r44fP64uXbooMzNT6enpmj9/vhYuXGj2fFVOTo5GjBihgoIC9ejRQ19++aWmTp2qVatW8RwWGs0rr7yizz//XIWFhdq6dav69++vtm3bql+/fnr44YeNdidOnNCIESNUUVGhLl266Msvv9SDDz6oZ5991qw/a9sBDeX555/Xzp07debMGW3btk3x8fHy9vZWfHy88VqTgwcP6n/+53909uxZBQUF6ejRoyooKNDSpUs1c+ZMs/4OHz6skSNHysnJScHBwdq2bZsef/xxLVy40Banh1+4559/Xr///e8VERFR7VVSU6dOVUJCglFOSUlRQkKCPDw85Ofnp+3bt+u5557TAw88YLafte2An4tE1komk0k//PCDTp06pdDQUIWFhdk6JKBG6enp+vHHH+Xt7a3w8HC1bt3aYruLFy/qu+++U25urrp3766QkJBGjhQ3uu+//17p6enV6gMDA9W3b1+zuqqqKv3f//2fCgoKdPPNN6tjx44W+7S2HdAQvvnmG508ebJafXBwsKKioszqDh8+rKNHj6pdu3YKDw9Xy5YtLfZZWVmpnTt3qqioSL169VJAQMB1iR04cOCADhw4YHHbzTffXO1VUOXl5dqxY4fOnz+v3r17V3uWtr7tgJ+DRBYAAAAAYFd4RhYAAAAAYFdIZAEAAAAAdoVEFgAAAABgV0hkAQAAAAB2hUQWAAAAAGBXSGQBAAAAAHaFRBYAAAAAYFdIZAEAAAAAdoVEFgAAO3Ps2DEFBgYqOzvb1qEAAGATJLIAANiZiooKZWVlqbKyskH7PXTokAIDA3XmzJkG7RcAgIZGIgsAgJ3p0qWLMjMz5e/v36D9Xk6Qq6qqGrRfAAAaGoksAAA2snfvXgUGBmrTpk0aNWqUQkNDNWrUKB0+fFj/+c9/FB8fr9DQUE2ePFl5eXnGfidOnFDfvn2NO6eX+/nkk0+UkJCgbt26adSoUTpw4ICxzxdffKHg4GCz4588eVKBgYFKT0/XmTNnNHjwYEnSLbfcosDAQE2bNk2SlJeXpzlz5qhHjx6KiIjQ/fffr4KCAqOfixcv6plnnlF0dLR69Oihe++9V6dOnbpeHxsAACSyAADYSnl5ubKysrRkyRLNmzdP7733noqKijRo0CAtWLBAS5Ys0caNG3Xo0CHNnTvX2O/qqcWX+3nooYf04IMPavPmzXJ3d9eYMWOMu6ulpaU6efKk2fErKyuNfnx8fPTOO+9Ikv71r3/pm2++0bJly1RSUqLY2FiVlJRo/fr1WrdunXJycjRs2DCj75dffllr1qzR8uXLtXnzZsXHx2vRokWN8RECAG5QTrYOAACAG90rr7yi2NhYSdLDDz+scePG6b333lOfPn0kSQ888IDmz59fZz+vvvqqBgwYIEl65pln1KVLF6WnpyskJKTOfR0cHNSuXTtJkr+/v/z8/IzYmjVrpjfeeEPNmjWTJK1bt07e3t7avn27YmNjtW/fPsXHxys+Pl6SFBYWpkmTJtXzUwAAwHoksgAA2FiPHj2M//f19bVYd+XU4pr07NnT+P/LSWleXp5ViWxNduzYofT0dHXq1Ekmk0kmk0nSpbvAR48eVWxsrMaOHavx48fL0dFRI0eO1MCBA+Xl5XXNxwQAoC5MLQYAwMYcHR3rrLucQNa3H2v2q01paaluvfVWff3119q+fbt27NhhJLeJiYmSpFGjRumHH35QcHCwVq1aJX9/fz399NM/67gAANSGRBYAgBtA69atVVVVpQsXLhh1J06cMGtzORG+Mvnt0aOH9u3bJ19fXwUGBpr95+bmZrTr1q2bFi1apM8//1zvvvuuFi1aZLYgFAAADYlEFgCAG0D37t3VsmVL/fnPf5Z0acrx1Qsy+fv7q1mzZjp06JBRl5SUpAsXLmjGjBn66aefJElZWVl6+OGHlZ2dLUlaunSpvvjiC2PxqczMTLVs2dIs0QUAoCGRyAIAcAPw9PTU66+/rsWLF8vT01MRERHG63aubDNv3jwNHz5cAQEBmjZtmgIDA7V161YdPXpU3t7e8vT0VL9+/RQYGGg8zzts2DA99dRT8vLykoeHh15++WVt3LhRLi4utjhVAMANoJnp5z48AwAArklFRYVycnIUEBBgrAhcXl6u3NxcBQYGGu3KysqUl5engIAASZdem5OdnS1/f385Ojpa7MdkMikrK0tt27aVs7Oz0ZfJZFJRUZE8PT1VVVWl06dPG/1cGVdeXp6cnZ3l4+Nj1JeUlKiyslIeHh4Wz6e0tFQVFRVq1apVw31IAABYQCILAAAAALArTC0GAAAAANgVElkAAAAAgF0hkQUAAAAA2BUSWQAAAACAXSGRBQAAAADYFRJZAAAAAIBd+X+jsHT3A6ZK4QAAAABJRU5ErkJggg==", "contentId": "day-picture"}, {"name": "report-2030-11-03.csv", "contentType": "text/csv", "contentInBase64": "77u/ZGF5LGdyb3VwLG5hbWUsY2x1c3Rlcix1c2VkX21pbnV0ZXMsc29mdF9taW51dGVzLGhhcmRfbWludXRlcyxsaW1pdCxzZXNzaW9ucyxmaXJzdF9zdGFydCxsYXN0X3N0b3Asd2FybmVkLHN0b3BwZWQsbWludXRlc19wYXN0X2xpbWl0LG5vdF9jb3VudGVkX21pbnV0ZXMsZXN0aW1hdGUNCjIwMzAtMTEtMDMsZ3JvdXBfMDEsVGVhbSAxLGNsdXN0ZXJfMDEsMTg5Ljk3LDE1MC4wMCwxODAuMDAsMTgwIG1pbnV0ZXMsMSwyMDMwLTExLTAzIDA4OjA1OjAyKzAyOjAwLDIwMzAtMTEtMDMgMTE6MTU6MDArMDI6MDAsMjAzMC0xMS0wMyAxMDo0NTowMCswMjowMCwyMDMwLTExLTAzIDExOjE1OjAwKzAyOjAwLDkuOTcsMC4wMCwNCjIwMzAtMTEtMDMsZ3JvdXBfMDIsVGVhbSAyLGNsdXN0ZXJfMDIsMC4wMCwxNTAuMDAsMTgwLjAwLDE4MCBtaW51dGVzLDAsLCwsLDAuMDAsMjM0Ljk3LA0KMjAzMC0xMS0wMyxncm91cF8wMyxUZWFtIDMsY2x1c3Rlcl8wMyw1OS45NywxNTAuMDAsMTgwLjAwLDE4MCBtaW51dGVzLDEsMjAzMC0xMS0wMyAyMzowMDowMiswMjowMCwsLCwwLjAwLDAuMDAsDQoyMDMwLTExLTAzLGdyb3VwXzA0LFRlYW0gNCxjbHVzdGVyXzA0LDAuMDAsMTUwLjAwLDE4MC4wMCwxODAgbWludXRlcywwLCwsLCwwLjAwLDAuMDAsDQo="}], "userEngagementTrackingDisabled": true}', 1919974200000, 1919974200000, false, false, 1919977800243, 1, NULL, 0, false, 1919974200243, 1920002100048, NULL, NULL, NULL);
INSERT INTO public.letter VALUES (4, '1e8b9b99-dca3-5f06-9279-1ae65fb3530e', 'stopped', 'day', '2030-11-04', '9758-979646-90573df6', 0, 0, 0, 'Data Engineering: the cluster of Team 3 is off, its limit is reached', '{"senderAddress": "lab@campus.example", "content": {"subject": "Data Engineering: the cluster of Team 3 is off, its limit is reached", "plainText": "\u2068Team 3\u2069, the limit of your cluster \u2068cluster_03\u2069 is reached. It is off, and your group cannot start it until the limit is counted anew.\n\nUsed:          30 minutes on Monday, 04 November 2030\nLimit:         0 minutes (\u20680 instead of 180 minutes: away\u2069)\nCounted anew:  Tuesday, 05 November 2030 at 00:00\n\nWhat to do:\n- Nothing is lost: notebooks and files are where they were, and you can open and edit them.\n- From Tuesday, 05 November 2030 at 00:00 on you can start the cluster again yourselves.\n- If you need more time for a reason, ask the course staff: admin@campus.example.\n", "html": "<!DOCTYPE html>\n<html lang=\"en\" dir=\"ltr\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>Data Engineering: the cluster of Team 3 is off, its limit is reached</title>\n</head>\n<body style=\"margin: 0; padding: 24px 12px; background: #f4f5f7; color: #1f2933; font: 16px/1.5 system-ui, ''Segoe UI'', Arial, sans-serif;\">\n<div style=\"max-width: 600px; margin: 0 auto; padding: 24px; background: #ffffff; border: 1px solid #d9dee5; border-radius: 8px;\">\n<h1 style=\"margin: 0 0 12px; font-size: 20px; color: #a61b1b;\">The cluster is off: its limit is reached</h1>\n<p><strong><bdi>Team 3</bdi></strong>, <bdi>Data Engineering</bdi>: your group cannot start its cluster until the limit is counted anew.</p>\n<table role=\"presentation\" style=\"border-collapse: collapse; margin: 16px 0;\">\n<tr><td style=\"padding: 4px 16px 4px 0; color: #52606d;\">Cluster</td><td style=\"padding: 4px 0;\"><bdi>cluster_03</bdi></td></tr>\n<tr><td style=\"padding: 4px 16px 4px 0; color: #52606d;\">Used</td><td style=\"padding: 4px 0;\"><strong>30 minutes</strong> on Monday, 04 November 2030</td></tr>\n<tr><td style=\"padding: 4px 16px 4px 0; color: #52606d;\">Limit</td><td style=\"padding: 4px 0;\"><strong>0 minutes</strong> (<bdi>0 instead of 180 minutes: away</bdi>)</td></tr>\n<tr><td style=\"padding: 4px 16px 4px 0; color: #52606d;\">Counted anew</td><td style=\"padding: 4px 0;\">Tuesday, 05 November 2030 at 00:00</td></tr>\n</table><ul style=\"padding-inline-start: 20px;\">\n<li>Nothing is lost: notebooks and files are where they were, and you can open and edit them.</li>\n<li>From Tuesday, 05 November 2030 at 00:00 on you can start the cluster again yourselves.</li>\n<li>If you need more time for a reason, ask the course staff: <bdi>admin@campus.example</bdi>.</li>\n</ul>\n</div>\n</body>\n</html>\n"}, "recipients": {"to": [{"address": "student3a@campus.example.ac.il"}, {"address": "student3b@campus.example.ac.il"}], "cc": [{"address": "admin@campus.example"}]}, "replyTo": [{"address": "admin@campus.example"}], "attachments": [], "userEngagementTrackingDisabled": true}', 1920002100000, 1920002100000, true, false, 1920005700063, 1, NULL, 0, false, 1920002100063, 1920006000055, NULL, NULL, NULL);
INSERT INTO public.letter VALUES (6, 'e6acad78-6519-5f5f-8471-1d19986b6cab', 'warning', 'day', '2030-11-04', '6846-771767-85bdc735', 10800000, 0, 2, 'Data Engineering: 21 minutes of cluster time left for Team 4', '{"content": {"subject": "Data Engineering: 21 minutes of cluster time left for Team 4", "plainText": "\u2068Team 4\u2069, your cluster \u2068cluster_04\u2069 has been running for 159 minutes on Monday, 04 November 2030.\n\nUsed:          159 minutes\nLimit:         180 minutes\nLeft:          21 minutes\nCounted anew:  Tuesday, 05 November 2030 at 00:00\n\nWhat to do:\n- Save your work. When the limit is reached the cluster is turned off, whoever is working on it. Notebooks and files\n  stay; variables and what is only in memory do not.\n- Terminate the cluster when nobody needs it (Compute, your cluster, Terminate): the minutes that are left stay yours.\n- If you need more time for a reason, ask the course staff before the limit is reached: admin@campus.example.\n", "html": "<!DOCTYPE html>\n<html lang=\"en\" dir=\"ltr\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>Data Engineering: 21 minutes of cluster time left for Team 4</title>\n</head>\n<body style=\"margin: 0; padding: 24px 12px; background: #f4f5f7; color: #1f2933; font: 16px/1.5 system-ui, ''Segoe UI'', Arial, sans-serif;\">\n<div style=\"max-width: 600px; margin: 0 auto; padding: 24px; background: #ffffff; border: 1px solid #d9dee5; border-radius: 8px;\">\n<h1 style=\"margin: 0 0 12px; font-size: 20px; color: #8d5b00;\">21 minutes of cluster time left</h1>\n<p><strong><bdi>Team 4</bdi></strong>, <bdi>Data Engineering</bdi>: your cluster is near its limit.</p>\n<table role=\"presentation\" style=\"border-collapse: collapse; margin: 16px 0;\">\n<tr><td style=\"padding: 4px 16px 4px 0; color: #52606d;\">Cluster</td><td style=\"padding: 4px 0;\"><bdi>cluster_04</bdi></td></tr>\n<tr><td style=\"padding: 4px 16px 4px 0; color: #52606d;\">Used</td><td style=\"padding: 4px 0;\"><strong>159 minutes</strong> on Monday, 04 November 2030</td></tr>\n<tr><td style=\"padding: 4px 16px 4px 0; color: #52606d;\">Limit</td><td style=\"padding: 4px 0;\"><strong>180 minutes</strong></td></tr>\n<tr><td style=\"padding: 4px 16px 4px 0; color: #52606d;\">Counted anew</td><td style=\"padding: 4px 0;\">Tuesday, 05 November 2030 at 00:00</td></tr>\n</table><ul style=\"padding-inline-start: 20px;\">\n<li>Save your work. When the limit is reached the cluster is turned off, whoever is working on it. Notebooks and files stay; variables and what is only in memory do not.</li>\n<li>Terminate the cluster when nobody needs it (Compute, your cluster, Terminate): the minutes that are left stay yours.</li>\n<li>If you need more time for a reason, ask the course staff before the limit is reached: <bdi>admin@campus.example</bdi>.</li>\n</ul>\n</div>\n</body>\n</html>\n"}, "recipients": {"to": [{"address": "student4a@campus.example.ac.il"}, {"address": "student4b@campus.example.ac.il"}], "cc": [{"address": "admin@campus.example"}]}, "replyTo": [{"address": "admin@campus.example"}], "attachments": [], "userEngagementTrackingDisabled": true}', 1920012000000, NULL, false, false, 1920012000000, 0, NULL, 0, false, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.letter VALUES (5, '5e7d9cbd-eeda-5b65-8717-54407653bbf9', 'warning', 'day', '2030-11-04', '7257-604460-56753302', 10800000, 0, 2, 'Data Engineering: 21 minutes of cluster time left for Team 1', '{"senderAddress": "lab@campus.example", "content": {"subject": "Data Engineering: 21 minutes of cluster time left for Team 1", "plainText": "\u2068Team 1\u2069, your cluster \u2068cluster_01\u2069 has been running for 159 minutes on Monday, 04 November 2030.\n\nUsed:          159 minutes\nLimit:         180 minutes\nLeft:          21 minutes\nCounted anew:  Tuesday, 05 November 2030 at 00:00\n\nWhat to do:\n- Save your work. When the limit is reached the cluster is turned off, whoever is working on it. Notebooks and files\n  stay; variables and what is only in memory do not.\n- Terminate the cluster when nobody needs it (Compute, your cluster, Terminate): the minutes that are left stay yours.\n- If you need more time for a reason, ask the course staff before the limit is reached: admin@campus.example.\n", "html": "<!DOCTYPE html>\n<html lang=\"en\" dir=\"ltr\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>Data Engineering: 21 minutes of cluster time left for Team 1</title>\n</head>\n<body style=\"margin: 0; padding: 24px 12px; background: #f4f5f7; color: #1f2933; font: 16px/1.5 system-ui, ''Segoe UI'', Arial, sans-serif;\">\n<div style=\"max-width: 600px; margin: 0 auto; padding: 24px; background: #ffffff; border: 1px solid #d9dee5; border-radius: 8px;\">\n<h1 style=\"margin: 0 0 12px; font-size: 20px; color: #8d5b00;\">21 minutes of cluster time left</h1>\n<p><strong><bdi>Team 1</bdi></strong>, <bdi>Data Engineering</bdi>: your cluster is near its limit.</p>\n<table role=\"presentation\" style=\"border-collapse: collapse; margin: 16px 0;\">\n<tr><td style=\"padding: 4px 16px 4px 0; color: #52606d;\">Cluster</td><td style=\"padding: 4px 0;\"><bdi>cluster_01</bdi></td></tr>\n<tr><td style=\"padding: 4px 16px 4px 0; color: #52606d;\">Used</td><td style=\"padding: 4px 0;\"><strong>159 minutes</strong> on Monday, 04 November 2030</td></tr>\n<tr><td style=\"padding: 4px 16px 4px 0; color: #52606d;\">Limit</td><td style=\"padding: 4px 0;\"><strong>180 minutes</strong></td></tr>\n<tr><td style=\"padding: 4px 16px 4px 0; color: #52606d;\">Counted anew</td><td style=\"padding: 4px 0;\">Tuesday, 05 November 2030 at 00:00</td></tr>\n</table><ul style=\"padding-inline-start: 20px;\">\n<li>Save your work. When the limit is reached the cluster is turned off, whoever is working on it. Notebooks and files stay; variables and what is only in memory do not.</li>\n<li>Terminate the cluster when nobody needs it (Compute, your cluster, Terminate): the minutes that are left stay yours.</li>\n<li>If you need more time for a reason, ask the course staff before the limit is reached: <bdi>admin@campus.example</bdi>.</li>\n</ul>\n</div>\n</body>\n</html>\n"}, "recipients": {"to": [{"address": "student1a@campus.example.ac.il"}, {"address": "student1b@campus.example.ac.il"}], "cc": [{"address": "admin@campus.example"}]}, "replyTo": [{"address": "admin@campus.example"}], "attachments": [], "userEngagementTrackingDisabled": true}', 1920012000000, 1920012000000, true, false, 1920012060057, 1, 1920012000057, 0, true, NULL, NULL, NULL, NULL, 'the mail service did not answer: (''Connection broken: IncompleteRead(38 bytes read, 39 more expected)'', IncompleteRead(38 bytes read, 39 more expected))');


--
-- Data for Name: lowered; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.lowered VALUES ('9758-979646-90573df6', 'group_03', 1920002100000);


--
-- Data for Name: mail_call; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.mail_call VALUES (9, 1920012000049, 'send');


--
-- Data for Name: migration; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.migration VALUES ('0001 tables');
INSERT INTO public.migration VALUES ('0002 imported days');
INSERT INTO public.migration VALUES ('0003 accepted mails');
INSERT INTO public.migration VALUES ('0004 ledger id');
INSERT INTO public.migration VALUES ('0005 starters');


--
-- Data for Name: note; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.note VALUES ('ledger id', 'c5f8a49e-f8e1-46bc-aba9-f9ed4743c309');
INSERT INTO public.note VALUES ('who we are, by credential', '["229c1fa7a648454aa7baa28ab5b84734", "admin@lab.example"]');
INSERT INTO public.note VALUES ('claims', '{}');
INSERT INTO public.note VALUES ('looked at everything', '2030-11-04');
INSERT INTO public.note VALUES ('all permissions read', '1919975700000');
INSERT INTO public.note VALUES ('permissions of lowered groups read', '{"9758-979646-90573df6": 1920003300000}');
INSERT INTO public.note VALUES ('near their limits', '{"9758-979646-90573df6": 1920012000000, "7257-604460-56753302": 1920012000000, "6846-771767-85bdc735": 1920012000000}');
INSERT INTO public.note VALUES ('job clusters listed', '[1920002100000, false]');
INSERT INTO public.note VALUES ('files of /lab-94290-2030w/allowances', '["/lab-94290-2030w/allowances/20301103T101500Z-40338531.json", "/lab-94290-2030w/allowances/20301103T101500Z-6db25594.json", "/lab-94290-2030w/allowances/20301104T055500Z-6909698d.json"]');
INSERT INTO public.note VALUES ('settled', '2030-11-03');
INSERT INTO public.note VALUES ('settled totals', '{
  "version": 1,
  "up_to": "2030-11-03",
  "groups": {
    "group_01": {
      "week_ms": 11398000,
      "term_ms": 11398000
    },
    "group_02": {
      "week_ms": 0,
      "term_ms": 0
    },
    "group_03": {
      "week_ms": 3598000,
      "term_ms": 3598000
    },
    "group_04": {
      "week_ms": 0,
      "term_ms": 0
    }
  }
}
');
INSERT INTO public.note VALUES ('members asked', '1919975700000');
INSERT INTO public.note VALUES ('members', '{"read": 1919975700000, "groups": {"admins": ["admin@lab.example"], "users": ["admin@lab.example", "assistant@example.ac.il", "student1a@campus.example.ac.il", "student1b@campus.example.ac.il", "student2a@campus.example.ac.il", "student2b@campus.example.ac.il", "student3a@campus.example.ac.il", "student3b@campus.example.ac.il", "student4a@campus.example.ac.il", "student4b@campus.example.ac.il"], "group_01": ["student1a@campus.example.ac.il", "student1b@campus.example.ac.il"], "group_02": ["student2a@campus.example.ac.il", "student2b@campus.example.ac.il"], "group_03": ["student3a@campus.example.ac.il", "student3b@campus.example.ac.il"], "group_04": ["student4a@campus.example.ac.il", "student4b@campus.example.ac.il"]}, "gone": {}}');


--
-- Data for Name: poll; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.poll VALUES (1919916000000, 1919916000420, 0, '{"clusters/jobs": 1, "scim/me": 1, "workspace/list": 2, "workspace/export": 1, "clusters/events": 4, "scim/groups": 1, "scim/users": 1, "permissions/get": 4}');
INSERT INTO public.poll VALUES (1919916900000, 1919916900183, 0, '{"workspace/list": 2, "clusters/events": 2}');
INSERT INTO public.poll VALUES (1919917800000, 1919917800064, 0, '{"workspace/list": 2, "clusters/events": 2}');
INSERT INTO public.poll VALUES (1919919600000, 1919919600049, 0, '{"workspace/list": 2}');
INSERT INTO public.poll VALUES (1919920500000, 1919920500063, 0, '{"workspace/list": 2}');
INSERT INTO public.poll VALUES (1919921400000, 1919921400062, 0, '{"workspace/list": 2}');
INSERT INTO public.poll VALUES (1919922300000, 1919922300052, 0, '{"workspace/list": 2}');
INSERT INTO public.poll VALUES (1919923200000, 1919923200069, 0, '{"workspace/list": 2}');
INSERT INTO public.poll VALUES (1919924100000, 1919924100056, 0, '{"workspace/list": 2}');
INSERT INTO public.poll VALUES (1919925000000, 1919925000056, 0, '{"workspace/list": 2}');
INSERT INTO public.poll VALUES (1919925900000, 1919925900083, 0, '{"workspace/list": 2}');
INSERT INTO public.poll VALUES (1919926800000, 1919926800049, 0, '{"clusters/jobs": 1, "workspace/list": 2}');
INSERT INTO public.poll VALUES (1919927700000, 1919927700079, 0, '{"workspace/list": 2, "permissions/get": 1, "permissions/patch": 1, "clusters/delete": 1}');
INSERT INTO public.poll VALUES (1919928600000, 1919928600064, 0, '{"workspace/list": 2, "clusters/events": 1, "permissions/get": 1}');
INSERT INTO public.poll VALUES (1919929500000, 1919929500058, 0, '{"workspace/list": 2}');
INSERT INTO public.poll VALUES (1919930400000, 1919930400058, 0, '{"workspace/list": 2}');
INSERT INTO public.poll VALUES (1919931300000, 1919931300238, 0, '{"workspace/list": 2, "workspace/export": 1}');
INSERT INTO public.poll VALUES (1919970900000, 1919970900084, 0, '{"clusters/jobs": 1, "workspace/list": 2, "clusters/events": 1, "permissions/get": 1}');
INSERT INTO public.poll VALUES (1919974200000, 1919974200247, 0, '{"workspace/list": 2, "scim/groups": 1, "scim/users": 1, "permissions/get": 1, "permissions/patch": 1, "workspace/import": 1}');
INSERT INTO public.poll VALUES (1919975700000, 1919975700098, 0, '{"workspace/list": 2, "clusters/events": 1, "scim/groups": 1, "scim/users": 1, "permissions/get": 4}');
INSERT INTO public.poll VALUES (1920002100000, 1920002100066, 0, '{"workspace/list": 2, "workspace/export": 1, "permissions/get": 1, "permissions/patch": 1}');
INSERT INTO public.poll VALUES (1920003300000, 1920003300086, 0, '{"workspace/list": 2, "clusters/events": 3, "permissions/get": 1}');
INSERT INTO public.poll VALUES (1920004200000, 1920004200058, 0, '{"workspace/list": 2, "clusters/events": 2}');
INSERT INTO public.poll VALUES (1920005100000, 1920005100303, 0, '{"workspace/list": 2}');
INSERT INTO public.poll VALUES (1920006000000, 1920006000057, 0, '{"workspace/list": 2}');
INSERT INTO public.poll VALUES (1920006900000, 1920006900117, 0, '{"workspace/list": 2}');
INSERT INTO public.poll VALUES (1920007800000, 1920007800156, 0, '{"workspace/list": 2}');
INSERT INTO public.poll VALUES (1920008700000, 1920008700145, 0, '{"workspace/list": 2}');
INSERT INTO public.poll VALUES (1920009600000, 1920009600109, 0, '{"workspace/list": 2}');
INSERT INTO public.poll VALUES (1920010500000, 1920010500050, 0, '{"workspace/list": 2}');
INSERT INTO public.poll VALUES (1920012000000, 1920012000063, 1, '{"workspace/list": 2}');


--
-- Data for Name: session; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.session VALUES ('7257-604460-56753302', 1919915940010, 1919915940010, 'admin@lab.example', '[]', '[]', 'it was called off while it was launching', NULL);
INSERT INTO public.session VALUES ('5176-283761-8ee1a9e8', 1919915940030, 1919915940030, 'admin@lab.example', '[]', '[]', 'it was called off while it was launching', NULL);
INSERT INTO public.session VALUES ('9758-979646-90573df6', 1919915940050, 1919915940050, 'admin@lab.example', '[]', '[]', 'it was called off while it was launching', NULL);
INSERT INTO public.session VALUES ('6846-771767-85bdc735', 1919915940070, 1919915940070, 'admin@lab.example', '[]', '[]', 'it was called off while it was launching', NULL);
INSERT INTO public.session VALUES ('7257-604460-56753302', 1919916302000, 1919927700000, 'student1a@campus.example.ac.il', '[]', '[[1919916302000, 1]]', NULL, 1919916302000);
INSERT INTO public.session VALUES ('5176-283761-8ee1a9e8', 1919916302010, 1919930400000, 'assistant@example.ac.il', '[]', '[[1919916302010, 1]]', NULL, 1919916302010);
INSERT INTO public.session VALUES ('9758-979646-90573df6', 1919970002000, 1919975400000, 'student3a@campus.example.ac.il', '[]', '[[1919970002000, 1]]', NULL, 1919970002000);
INSERT INTO public.session VALUES ('7257-604460-56753302', 1920002402000, NULL, 'student1a@campus.example.ac.il', '[]', '[[1920002402000, 1]]', NULL, 1920002402000);
INSERT INTO public.session VALUES ('5176-283761-8ee1a9e8', 1920002402010, NULL, 'student2a@campus.example.ac.il', '[]', '[[1920002402010, 1]]', NULL, 1920002402010);
INSERT INTO public.session VALUES ('6846-771767-85bdc735', 1920002402020, NULL, 'student4a@campus.example.ac.il', '[]', '[[1920002402020, 1]]', NULL, 1920002402020);


--
-- Data for Name: starter; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.starter VALUES ('7257-604460-56753302', 1919915940000, 'admin@lab.example', 'staff', 1919916000000);
INSERT INTO public.starter VALUES ('5176-283761-8ee1a9e8', 1919915940020, 'admin@lab.example', 'staff', 1919916000000);
INSERT INTO public.starter VALUES ('9758-979646-90573df6', 1919915940040, 'admin@lab.example', 'staff', 1919916000000);
INSERT INTO public.starter VALUES ('6846-771767-85bdc735', 1919915940060, 'admin@lab.example', 'staff', 1919916000000);
INSERT INTO public.starter VALUES ('7257-604460-56753302', 1919916300000, 'student1a@campus.example.ac.il', 'student', 1919916900000);
INSERT INTO public.starter VALUES ('5176-283761-8ee1a9e8', 1919916300010, 'assistant@example.ac.il', 'staff', 1919916900000);
INSERT INTO public.starter VALUES ('9758-979646-90573df6', 1919970000000, 'student3a@campus.example.ac.il', 'student', 1919970900000);
INSERT INTO public.starter VALUES ('7257-604460-56753302', 1920002400000, 'student1a@campus.example.ac.il', 'student', 1920003300000);
INSERT INTO public.starter VALUES ('5176-283761-8ee1a9e8', 1920002400010, 'student2a@campus.example.ac.il', 'student', 1920003300000);
INSERT INTO public.starter VALUES ('6846-771767-85bdc735', 1920002400020, 'student4a@campus.example.ac.il', 'student', 1920003300000);


--
-- Name: action_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.action_id_seq', 7, true);


--
-- Name: letter_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.letter_id_seq', 6, true);


--
-- Name: mail_call_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.mail_call_id_seq', 9, true);


--
-- Name: accepted accepted_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.accepted
    ADD CONSTRAINT accepted_pkey PRIMARY KEY (cluster_id);


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
-- Name: starter starter_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.starter
    ADD CONSTRAINT starter_pkey PRIMARY KEY (cluster_id, at, user_name);


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
-- Name: starter_role; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX starter_role ON public.starter USING btree (role);


--
-- PostgreSQL database dump complete
--


