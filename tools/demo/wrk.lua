-- SPDX-License-Identifier: GPL-2.0-only
-- What wrk saw, as one line of JSON: all of it, as its own summary leaves out what is 0.

function done(summary, latency, requests)
	local e = summary.errors

	io.write(string.format('{"requests":%d,"bytes":%d,"us":%d,"connect":%d,"read":%d,"write":%d,' ..
		'"status":%d,"timeout":%d,"p50_us":%d,"p99_us":%d}\n',
		summary.requests, summary.bytes, summary.duration, e.connect, e.read, e.write, e.status,
		e.timeout, latency:percentile(50), latency:percentile(99)))
end
