CREATE TABLE person(id INTEGER PRIMARY KEY, name TEXT NOT NULL, town TEXT, born INT);
CREATE TABLE purchase(id INTEGER PRIMARY KEY, person INT REFERENCES person(id), cents INT, day TEXT);
CREATE INDEX purchase_person ON purchase(person, day);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500)
INSERT INTO person SELECT i, printf('name%03d', i * 7919 % 500),
  CASE i % 4 WHEN 0 THEN 'Bern' WHEN 1 THEN 'Oslo' WHEN 2 THEN 'Porto' END, 1940 + i * 31 % 70 FROM n;
BEGIN;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
INSERT INTO purchase SELECT i, i * 7 % 500 + 1, i * i % 9973, date('2024-01-01', (i % 366) || ' days') FROM n;
COMMIT;
SELECT count(*), sum(cents), min(day), max(day) FROM purchase;
SELECT town, count(*), avg(born) FROM person GROUP BY town HAVING count(*) > 10 ORDER BY town;
SELECT p.name, sum(q.cents) AS total FROM person p JOIN purchase q ON q.person = p.id
  WHERE p.town = 'Oslo' GROUP BY p.id ORDER BY total DESC, p.name LIMIT 5;
SELECT month, total, sum(total) OVER (ORDER BY month), rank() OVER (ORDER BY total DESC)
  FROM (SELECT substr(day, 1, 7) AS month, sum(cents) AS total FROM purchase GROUP BY 1) ORDER BY month;
SELECT name FROM person LEFT JOIN purchase ON person.id = purchase.person AND cents > 9970
  WHERE purchase.id IS NULL AND name LIKE '%9_' ORDER BY name LIMIT 3;
EXPLAIN QUERY PLAN SELECT * FROM purchase WHERE person = 5 AND day > '2024-06-01';
SELECT json_extract('{"a":[1,{"b":2.5}]}', '$.a[1].b'), json_group_array(value) FROM json_each('[3,1,2]');
CREATE VIRTUAL TABLE note USING fts5(body);
INSERT INTO note VALUES ('the quick brown fox'), ('lazy dogs sleep'), ('quick dogs run');
SELECT rowid, highlight(note, 0, '[', ']') FROM note WHERE note MATCH 'quick OR sleep' ORDER BY rowid;
CREATE VIRTUAL TABLE box USING rtree(id, x0, x1, y0, y1);
INSERT INTO box VALUES (1, 0, 2, 0, 2), (2, 5, 6, 5, 6), (3, 1, 9, 1, 9);
SELECT id FROM box WHERE x0 < 5.5 AND x1 > 5.5 AND y1 > 5 ORDER BY id;
CREATE TRIGGER gift AFTER DELETE ON purchase BEGIN UPDATE person SET born = born + 1 WHERE id = old.person; END;
DELETE FROM purchase WHERE cents % 97 = 0;
SELECT changes(), sum(born), sum(triple(born)) FROM person;
UPDATE person SET name = upper(name) WHERE id IN (SELECT person FROM purchase GROUP BY 1 HAVING count(*) > 39);
SELECT name, hex(zeroblob(2)), round(born / 7.0, 3), typeof(town) FROM person ORDER BY born, id LIMIT 4;
SAVEPOINT s; DELETE FROM person; ROLLBACK TO s; SELECT count(*) FROM person;
PRAGMA integrity_check;
SELECT group_concat(i, ' ') FROM (WITH RECURSIVE f(i, j) AS (VALUES(0, 1) UNION ALL SELECT j, i + j FROM f LIMIT 30) SELECT i FROM f);
