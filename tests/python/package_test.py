#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Questions to the installed Python package. Usage: package_test.py PERFATLAS_PROGRAM"""
import math
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import numpy
import perfatlas

PROGRAM = sys.argv.pop(1)
TABLE = """framework,version,device,op_name,kernel_source,gemm_dtype,m,n,k,latency
onednn,3.2.0,box,gemm,brgemm,bfloat16,4,64,32,0.5
onednn,3.2.0,box,gemm,brgemm,bfloat16,12,64,32,1.5
"""


class PackageTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        place = Path(self.folder.name, "box/onednn/3.2.0")
        place.mkdir(parents=True)
        (place / "gemm_perf.txt").write_text(TABLE)
        self.database = perfatlas.Database(self.folder.name)

    def words_of_the_program(self, *arguments):
        done = subprocess.run([PROGRAM, "query", *arguments, "--data", self.folder.name], text=True, capture_output=True)
        return done.stdout + done.stderr

    def test_one_case(self):
        answer = self.database.latency(perfatlas.Gemm(dtype="bfloat16", m=4, n=64, k=32))
        self.assertTrue(answer)
        self.assertEqual((answer.latency_ms, answer.source, answer.system), (0.5, "measured", "box"))
        between = self.database.latency(perfatlas.Gemm(m=8, n=64, k=32))
        self.assertEqual(between.source, "interpolated")
        self.assertAlmostEqual(between.latency_ms, 1.0)
        self.assertEqual(len(between.derived_from), 2)
        self.assertIsNone(between.energy_mj)

    def test_arrays_answer_as_single_cases_do(self):
        tokens = numpy.array([[4, 8, 12], [5, 6, 7]])
        answers = self.database.latency(perfatlas.Gemm(m=tokens, n=64, k=32))
        self.assertEqual(answers.latency_ms.shape, tokens.shape)
        for place, m in numpy.ndenumerate(tokens):
            one = self.database.latency(perfatlas.Gemm(m=int(m), n=64, k=32))
            self.assertEqual(answers.latency_ms[place], one.latency_ms)
            self.assertEqual(answers.source[place], one.source)

    def test_arrays_are_broadcast(self):
        answers = self.database.latency(perfatlas.Gemm(m=numpy.array([[4], [12]]), n=numpy.array([64, 65]), k=32))
        self.assertEqual(answers.latency_ms.shape, (2, 2))
        self.assertEqual(list(answers.latency_ms[:, 0]), [0.5, 1.5])

    def test_what_is_no_field_is_refused(self):
        with self.assertRaises(TypeError):
            perfatlas.Gemm(rows=4)
        with self.assertRaisesRegex(perfatlas.UsageError, "integer"):
            self.database.latency(perfatlas.Gemm(m=numpy.array([1.5]), n=64, k=32))
        with self.assertRaises(perfatlas.UsageError):
            self.database.latency(perfatlas.Gemm(dtype="bf17"))
        with self.assertRaisesRegex(perfatlas.UsageError, "no option"):
            self.database.latency(perfatlas.Gemm(), speed="high")

    def test_a_miss_has_the_words_of_the_command_line(self):
        answer = self.database.latency(perfatlas.Gemm(dtype="fp8", m=4, n=64, k=32))
        self.assertFalse(answer)
        self.assertIsNone(answer.latency_ms)
        self.assertIn(answer.miss_reason, self.words_of_the_program(*"gemm --dtype fp8 --m 4 --n 64 --k 32".split()))
        answers = self.database.latency(perfatlas.Gemm(dtype="fp8", m=numpy.array([4, 8]), n=64, k=32))
        self.assertTrue(all(math.isnan(ms) for ms in answers.latency_ms))
        self.assertEqual(answers.miss_reason, [answer.miss_reason] * 2)

    def test_exceptions_have_the_words_of_the_command_line(self):
        with self.assertRaises(perfatlas.UsageError) as caught:
            self.database.latency(perfatlas.Gemm(m=4, n=64, k=32), system="bix")
        self.assertIn(str(caught.exception), self.words_of_the_program(*"gemm --m 4 --n 64 --k 32 --system bix".split()))
        with self.assertRaisesRegex(perfatlas.Error, "nowhere"):
            perfatlas.Database(self.folder.name + "/nowhere")

    @unittest.skipUnless(os.environ.get("PERFATLAS_WHEEL"), "no published wheel")
    def test_published_tables_answer_with_intervals(self):
        wheel = os.environ["PERFATLAS_WHEEL"]
        database = perfatlas.Database(systems_path=wheel)
        self.assertIn("h200_sxm", database.systems())
        place = {"system": "h200_sxm", "backend": "vllm"}
        answers = database.latency(perfatlas.Gemm(m=numpy.array([[64, 100], [5000, 40000]]), n=4096, k=4096), **place)
        self.assertEqual(answers.source.tolist(), [["measured", "interpolated"], ["interpolated", "extrapolated"]])
        self.assertTrue((answers.latency_ms >= answers.sol_ms).all())
        one = database.latency(perfatlas.Gemm(m=100, n=4096, k=4096), **place)
        self.assertEqual(one.latency_ms, answers.latency_ms[0, 1])
        self.assertEqual(list(one.intervals), sorted(one.intervals))
        compatible = database.latency(perfatlas.Gemm(m=100, n=4096, k=4096), engine="aic", **place)
        self.assertEqual((compatible.source, compatible.intervals), ("interpolated", None))
        self.assertAlmostEqual(sum(row["weight"] for row in compatible.derived_from), 1)


if __name__ == "__main__":
    unittest.main()
