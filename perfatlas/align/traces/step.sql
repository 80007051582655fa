-- SPDX-License-Identifier: Apache-2.0
-- The tables and columns of an Nsight Systems export that are read, with two layers of a step, hand-written. Times in ns.
CREATE TABLE StringIds (id INTEGER PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE NVTX_EVENTS (start INTEGER, end INTEGER, eventType INTEGER, text TEXT, textId INTEGER, globalTid INTEGER);
CREATE TABLE CUPTI_ACTIVITY_KIND_RUNTIME (start INTEGER, end INTEGER, globalTid INTEGER, correlationId INTEGER, nameId INTEGER);
CREATE TABLE CUPTI_ACTIVITY_KIND_KERNEL (start INTEGER, end INTEGER, deviceId INTEGER, streamId INTEGER, correlationId INTEGER, shortName INTEGER);
INSERT INTO StringIds VALUES (1, 'nvjet_hsh_64x8'), (2, 'rmsnorm_kernel'), (3, 'memset_kernel'),
  (4, 'gemm gemm_dtype=bfloat16 m=8 n=4096 k=4096'), (5, 'splitk_reduce');
-- One range around the step, one per op; texts inside the event and among the strings. 34 is no range.
INSERT INTO NVTX_EVENTS VALUES
  (0, 100000, 59, 'step', NULL, 7),
  (1000, 5000, 59, NULL, 4, 7),
  (6000, 9000, 59, 'rms_norm dtype=bfloat16 num_tokens=8 hidden_size=4096', NULL, 7),
  (10000, 14000, 59, NULL, 4, 7),
  (1500, 1600, 34, 'a marker', NULL, 7);
INSERT INTO CUPTI_ACTIVITY_KIND_RUNTIME VALUES
  (1200, 1300, 7, 11, 0), (1400, 1500, 7, 12, 0), (6500, 6600, 7, 13, 0), (10500, 10600, 7, 14, 0),
  (10700, 10800, 7, 15, 0), (20000, 20100, 7, 16, 0), (2000, 2100, 8, 17, 0);
INSERT INTO CUPTI_ACTIVITY_KIND_KERNEL VALUES
  (50000, 62000, 0, 7, 11, 1), (62000, 64000, 0, 7, 12, 5), (64000, 67000, 0, 7, 13, 2),
  (67000, 77000, 0, 7, 14, 1), (77000, 79000, 0, 7, 15, 5), (79000, 80000, 0, 7, 16, 3), (80000, 84000, 0, 8, 17, 3);
