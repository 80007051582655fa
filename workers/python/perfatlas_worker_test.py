# SPDX-License-Identifier: Apache-2.0
"""Tests of the worker package with a framework of the tests' own. The protocol is tested through the program."""
import json
import os
import subprocess
import sys
import tempfile
import unittest

import numpy as np

from perfatlas_worker import machine, memory, protocol, sampling
from perfatlas_worker.framework import Case, Framework, Launch, Operand
from perfatlas_worker.protocol import Worker

HERE = os.path.dirname(os.path.abspath(__file__))
LLC = 1 << 20  # of the pretended machine
SCALE = "scale n=8"  # the op of the tests: y = x * w


def scale_case(rows=8, content=""):
    """Operands of y[rows] = x[rows] * w[rows]; with `content`, a folder of files."""
    def operand(name, role, written=False):
        file = os.path.join(content, name) if content else None
        return Operand(name, role, "float32", (rows,), "none" if written else "normal", written, file)

    operands = (operand("x", "activation"), operand("w", "weight"), operand("y", "output", True))
    return Case(f"scale n={rows}", operands, 4 * rows)


def as_request(case, **members):
    operands = [{key: getattr(o, key) for key in ("name", "role", "dtype", "fill", "written")} | {"shape": list(o.shape)}
                | ({"content": o.content} if o.content else {}) for o in case.operands]
    return {"case": case.text, "operands": operands, "streamed_bytes": case.streamed_bytes, **members}


class Scaler(Framework):
    """Remembers which weights each launch used, and when caches were evicted."""

    def __init__(self):
        super().__init__("scaler", "1.0")
        self.events = []
        self.kernels = []
        self.kernel("scale", "slow_scale", lambda case: "too slow")(self.prepare)
        self.kernel("scale", "scale")(self.prepare)
        self.kernel("fail", "always_fails")(self.fail)

    def prepare(self, _case, x, w, y):
        def launch():
            self.events.append(w.ctypes.data)
            np.multiply(x, w, out=y)

        return launch

    def fail(self, _case, **_tensors):
        raise RuntimeError("no\nluck")

    def read_all(self, _memory):
        self.events.append("evict")


def store():
    return sampling.Store(memory_bytes=1e9, llc_bytes=LLC)


def sample(framework, case, cache, requests=1, **options):
    prepared = sampling.PreparedCase(framework, framework.kernels[1], case, cache, store())
    framework.events.clear()
    options = {"warmups": 0, "repetitions": 10, "min_sample_ms": 0, "max_total_ms": 1000, **options}
    return [prepared.sample(**options) for _ in range(requests)][-1]


class Sampling(unittest.TestCase):
    def test_hot_launches_use_one_set(self):
        framework = Scaler()
        answer = sample(framework, scale_case(), "hot", repetitions=20)
        self.assertEqual(len(answer["latency_ms"]), 20)
        self.assertEqual(len(set(framework.events)), 1)
        self.assertEqual(answer["bytes_touched"], 3 * 4 * 8)

    def test_cold_launches_follow_an_eviction_each(self):
        framework = Scaler()
        answer = sample(framework, scale_case(), "cold", repetitions=5, min_sample_ms=50)
        self.assertEqual(answer["launches_per_sample"], 1)
        launches = framework.events[-10:]
        self.assertEqual(launches[0::2], ["evict"] * 5)
        self.assertNotIn("evict", launches[1::2])

    def test_few_serving_launches_use_fresh_weights_each_after_one_eviction(self):
        framework = Scaler()
        answer = sample(framework, scale_case(), "serving")
        after = framework.events[framework.events.index("evict") + 2:]  # one launch warms the activations
        self.assertEqual(len(after), 10)
        self.assertEqual(len(set(after)), 10)
        self.assertEqual(answer["bytes_touched"], 1.25 * LLC)

    def test_weights_are_not_used_twice_without_an_eviction(self):
        framework = Scaler()
        sample(framework, scale_case(), "serving", requests=7)
        since = []
        for event in framework.events[framework.events.index("evict"):]:
            if event == "evict":
                since = []
            else:
                self.assertNotIn(event, since)
                since.append(event)
        self.assertGreaterEqual(framework.events.count("evict"), 4)

    def test_large_weights_rotate_over_more_than_the_cache_without_evictions(self):
        framework = Scaler()
        rows = LLC // 4 // 4  # a quarter of the cache: five sets exceed it by a quarter
        answer = sample(framework, scale_case(rows), "serving", repetitions=12)
        self.assertNotIn("evict", framework.events)
        launches = framework.events[-12:]
        self.assertEqual(len(set(launches)), 5)
        self.assertEqual(launches[:5], launches[5:10])
        self.assertEqual(answer["bytes_touched"], 5 * 4 * rows)

    def test_short_launches_are_batched(self):
        answer = sample(Scaler(), scale_case(), "hot", warmups=3, min_sample_ms=1, repetitions=2)
        self.assertGreater(answer["launches_per_sample"], 10)

    def test_sampling_ends_in_time_but_not_before_one_sample(self):
        answer = sample(Scaler(), scale_case(), "hot", max_total_ms=0)
        self.assertEqual(len(answer["latency_ms"]), 1)

    def test_what_cannot_fit_is_refused_before_memory_is_taken(self):
        with self.assertRaisesRegex(memory.OutOfMemory, "^out of memory: .* GiB are needed"):
            sample(Scaler(), scale_case(1 << 30), "hot")


class Memory(unittest.TestCase):
    def test_random_elements_are_normal_values_of_the_type(self):
        random = memory.RandomElements()
        for dtype, view in (("float32", np.float32), ("float16", np.float16), ("int8", np.int8)):
            block = memory.allocate(1 << 20)
            random.fill(block, dtype)
            values = block.view(view).astype(np.float64)
            self.assertAlmostEqual(values.std(), 32 if dtype == "int8" else 1, delta=0.05 * values.std())

    def test_narrow_types_are_rounded_to_nearest(self):
        values = np.array([1.0, -1.0, 0.0, 448.0, 1e9, 0.0625, 1.0624, 1.0626, 2.0**-9], np.float32)
        self.assertEqual(memory.encode(values, "fp8").tolist(),
                         [0x38, 0xB8, 0x00, 0x7E, 0x7E, 0x18, 0x38, 0x39, 0x01])
        halfway = np.array([1 + 2**-8, 1 + 3 * 2**-8, -(1 + 2**-8 + 2**-12)], np.float32)
        self.assertEqual(memory.encode(halfway, "bfloat16").view(np.uint16).tolist(), [0x3F80, 0x3F82, 0xBF81])

    def test_slices_come_again_only_after_the_rest_of_the_ring(self):
        arenas = memory.StreamArenas(memory.RandomElements(), 0)
        ring = arenas.reserve("int8", 1 << 20)
        addresses = [arenas.slice("int8", 1 << 20).ctypes.data for _ in range(2 * ring // (1 << 20))]
        self.assertEqual(len(set(addresses)), ring // (1 << 20))
        self.assertEqual(addresses[:ring // (1 << 20)], addresses[ring // (1 << 20):])


class Launches(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.case = scale_case(4, self.folder.name)
        for operand, values in zip(self.case.operands, ([1, 2, 3, 4], [2, 2, 2, 2], [9, 9, 9, 9])):
            np.array(values, np.float32).tofile(operand.content)

    def tearDown(self):
        self.folder.cleanup()

    def test_the_result_replaces_the_content_of_the_files(self):
        framework = Scaler()
        self.assertEqual(sampling.launch_once(framework, framework.kernels[1], self.case), [])
        self.assertEqual(np.fromfile(self.case.operands[2].content, np.float32).tolist(), [2, 4, 6, 8])

    def test_a_write_beyond_the_end_is_reported(self):
        framework = Scaler()

        @framework.kernel("scale", "careless")
        def careless(_case, x, w, y):  # pylint: disable=unused-argument
            beyond = np.lib.stride_tricks.as_strided(y, (6,))
            return lambda: beyond.__setitem__(slice(None), 1)

        self.assertEqual(sampling.launch_once(framework, framework.kernels[-1], self.case), ["y"])

    def test_layouts_of_the_kernel_are_filled_before_and_read_after_the_launch(self):
        framework = Scaler()
        order = []

        @framework.kernel("scale", "reordering")
        def reordering(_case, x, w, y):  # pylint: disable=unused-argument
            return Launch(lambda: order.append("run"), lambda: order.append("before"), lambda: order.append("after"))

        sampling.launch_once(framework, framework.kernels[-1], self.case)
        self.assertEqual(order, ["before", "run", "after"])


class Requests(unittest.TestCase):
    def setUp(self):
        self.worker = Worker(Scaler(), machine.parse_cores(""))

    def ask(self, request, **members):
        kind, members = request, {**members}
        _, kind, read = protocol.read_request(json.dumps({"id": 1, "request": kind, **members}))
        return self.worker.answer(kind, read) if kind else {"answer": "failed", **read}

    def test_the_first_kernel_that_supports_the_case_is_sampled(self):
        answer = self.ask("sample", **as_request(scale_case()), cache="hot", repetitions=2)
        self.assertEqual((answer["answer"], answer["kernel_source"]), ("sample", "scale"))

    def test_kernels_are_listed_with_their_reasons(self):
        answer = self.ask("kernels", **as_request(scale_case()))
        self.assertEqual([(k["kernel"], k["reason"]) for k in answer["kernels"]],
                         [("slow_scale", "too slow"), ("scale", "")])

    def test_a_case_without_a_kernel_is_skipped_with_the_reasons(self):
        answer = self.ask("sample", **as_request(scale_case(), kernel="slow_scale"))
        self.assertEqual(answer, {"answer": "skipped", "reason": "slow_scale: too slow"})
        answer = self.ask("sample", **as_request(scale_case(), backend="other"))
        self.assertEqual(answer["reason"], "this worker has no kernel '' of back end 'other' for scale")

    def test_an_exception_of_the_framework_is_one_failed_line_and_the_worker_lives_on(self):
        case = Case("fail n=8", scale_case().operands, 32)
        answer = self.ask("sample", **as_request(case, cache="hot"))
        self.assertEqual(answer, {"answer": "failed", "error": "RuntimeError: no luck"})
        self.assertEqual(self.ask("sample", **as_request(scale_case()), cache="hot")["answer"], "sample")

    def test_requests_without_operands_are_refused(self):
        self.assertIn("must describe the operands", self.ask("sample", case="scale n=8")["error"])

    def test_malformed_members_are_named(self):
        for members, text in (({"repetitions": 0}, "'repetitions'"), ({"cache": "warm"}, "'cache'"),
                              ({"warmup": 1}, "unknown key 'warmup'"), ({"seed": True}, "'seed'"),
                              ({"min_sample_ms": -1}, "'min_sample_ms'")):
            answer = self.ask("sample", **as_request(scale_case()), **members)
            self.assertEqual(answer["answer"], "failed")
            self.assertIn(text, answer["error"])

    def test_another_protocol_is_refused(self):
        self.assertIn("speaks protocol 1, not 2", self.ask("hello", protocol=2)["error"])


class Program(unittest.TestCase):
    """perfatlas-worker-numpy as the supervisor starts it."""

    def talk(self, *lines, arguments=()):
        result = subprocess.run([os.path.join(HERE, "perfatlas-worker-numpy"), *arguments], input="\n".join(lines),
                                env={**os.environ, "PERFATLAS_PYTHON": sys.executable}, capture_output=True, text=True,
                                check=False)
        return result, [json.loads(line) for line in result.stdout.splitlines()]

    def test_it_answers_in_turn_and_leaves_at_the_end_of_its_input(self):
        result, answers = self.talk('{"id":7,"request":"hello"}', "nonsense", '{"id":9,"request":"probe"}')
        self.assertEqual(result.returncode, 0)
        self.assertEqual([(a["id"], a["answer"]) for a in answers], [(7, "hello"), (0, "failed"), (9, "skipped")])
        self.assertTrue(answers[0]["wants_operands"])

    def test_wrong_usage_ends_with_code_2_and_one_line(self):
        for arguments in (("--devices", "4096"), ("--devices", "1-0"), ("--devices", "x")):
            result, answers = self.talk(arguments=arguments)
            self.assertEqual((result.returncode, answers), (2, []))
            self.assertEqual(len(result.stderr.splitlines()), 1, result.stderr)


if __name__ == "__main__":
    unittest.main()
