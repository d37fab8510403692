-- Moov's settings became one table for each country, and its connector one for each: an old attempt is asked by its country's.

UPDATE attempt
SET connector = CASE method WHEN 'FLOOZ' THEN 'moov_3pp_ci' WHEN 'MOOVBF' THEN 'moov_3pp_bf' ELSE 'moov_3pp_ml' END
WHERE connector = 'moov_3pp' AND method IN ('FLOOZ', 'MOOVBF', 'MOOVML');
