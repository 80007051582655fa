# SPDX-License-Identifier: Apache-2.0
"""Tests of the workers around frameworks on GPUs, with a torch that computes on the host and frameworks that are none.
What they prove: tensors of a case reach the framework's calls in the shapes that these take, results come back, graphs
are used and their failure is said, versions are checked. What they cannot: that the real calls are as written here."""
import importlib
import os
import sys
import tempfile
import types
import unittest
from unittest import mock

import numpy as np

from perfatlas_worker.framework import Case, Operand
from perfatlas_worker_fake_torch import Tensor, fake_torch

PAGE = 64


def operand(name, role, shape, dtype="float16", written=False, folder=None):
    file = os.path.join(folder, name) if folder else None
    return Operand(name, role, dtype, tuple(shape), "none" if role == "output" else "normal", written, file)


def gemm_case(folder=None, dtype="float16", name="float16"):
    operands = (operand("a", "activation", (4, 32), dtype, folder=folder),
                operand("w", "weight", (16, 32), dtype, folder=folder),
                operand("d", "output", (4, 16), "float16", True, folder))
    return Case(f"gemm gemm_dtype={name} m=4 n=16 k=32", operands, 2 * 16 * 32)


def attention_case(isl, step, folder=None):
    pages = (2, 2, PAGE, 8)
    operands = (operand("q", "activation", (2 * isl, 4, 8), folder=folder),
                operand("k", "activation", (2 * isl, 2, 8), folder=folder),
                operand("v", "activation", (2 * isl, 2, 8), folder=folder),
                operand("k_cache", "kv", pages, written=True, folder=folder),
                operand("v_cache", "kv", pages, written=True, folder=folder),
                operand("page_table", "activation", (2, 1), "int32", folder=folder),
                operand("out", "output", (2 * isl, 4, 8), written=True, folder=folder))
    return Case(f"attention_context batch_size=2 isl={isl} num_heads=4 num_key_value_heads=2 head_dim=8 window_size=0 "
                f"attn_dtype=float16 kv_cache_dtype=float16 step={step}", operands, 1)


def write_operands(case, seed=1):
    """Content of every operand's file; what was written, by name."""
    numbers, content = np.random.default_rng(seed), {}
    for o in case.operands:
        kind = np.int32 if o.dtype == "int32" else np.float16
        values = np.arange(int(np.prod(o.shape))) if kind is np.int32 else numbers.standard_normal(o.shape)
        content[o.name] = values.astype(kind).reshape(o.shape)
        content[o.name].tofile(o.content)
    return content


def read_operand(case, name):
    o = next(o for o in case.operands if o.name == name)
    return np.fromfile(o.content, np.float16).reshape(o.shape)


class WithFakeTorch(unittest.TestCase):
    module, version = "vllm", "0.32.0"

    def setUp(self):
        self.torch = fake_torch()
        self.modules = {"torch": self.torch, **self.framework_modules()}
        patch = mock.patch.dict(sys.modules, self.modules)
        patch.start()
        self.addCleanup(patch.stop)
        for name in ("torch_cuda", self.module):
            sys.modules.pop(f"perfatlas_worker.{name}", None)
        self.worker = importlib.import_module(f"perfatlas_worker.{self.module}")
        self.sampling = importlib.import_module("perfatlas_worker.sampling")
        for name in ("torch_cuda", self.module):
            self.addCleanup(sys.modules.pop, f"perfatlas_worker.{name}", None)
        version = mock.patch("importlib.metadata.version", lambda package: self.version)
        version.start()
        self.addCleanup(version.stop)
        self.framework = self.worker.FRAMEWORK
        self.framework.select("cuda:0")
        self.framework.start([])
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def framework_modules(self):
        return {}

    def kernel(self, name):
        return next(k for k in self.framework.kernels if k.name == name)

    def launch(self, name, case):
        """Eagerly: the pretended graphs hold products alone."""
        self.torch.capture_error = RuntimeError("not captured in this test")
        return self.sampling.launch_once(self.framework, self.kernel(name), case)


def module(name, **members):
    made = types.ModuleType(name)
    made.__dict__.update(members)
    return made


class Vllm(WithFakeTorch):
    def framework_modules(self):
        self.attended = []
        custom = module("vllm._custom_ops", reshape_and_cache_flash=self.write_tokens)
        return {"vllm": module("vllm", _custom_ops=custom), "vllm._custom_ops": custom,
                "vllm.v1": module("vllm.v1"), "vllm.v1.attention": module("vllm.v1.attention"),
                "vllm.v1.attention.backends": module("vllm.v1.attention.backends"),
                "vllm.v1.attention.backends.fa_utils": module("fa_utils", get_flash_attn_version=lambda head_size: 3),
                "vllm.vllm_flash_attn": module("flash", flash_attn_varlen_func=self.attend)}

    @staticmethod
    def write_tokens(k, v, keys, values, slots, kind, k_scale, v_scale):
        for source, cache in ((k, keys), (v, values)):
            rows = cache.data.reshape(-1, *cache.data.shape[2:])
            rows[slots.data] = source.data

    def attend(self, **arguments):
        self.attended.append(arguments)
        arguments["out"].data[...] = 1

    def test_a_product_comes_back(self):
        case = gemm_case(self.folder.name)
        content = write_operands(case)
        self.assertEqual(self.launch("vllm_linear", case), [])
        expected = content["a"].astype(np.float32) @ content["w"].astype(np.float32).T
        np.testing.assert_allclose(read_operand(case, "d"), expected, atol=0.05)

    def test_attention_gets_pages_token_by_token_and_the_cache_comes_back_head_by_head(self):
        case = attention_case(3, 10, self.folder.name)
        content = write_operands(case)
        self.launch("vllm_flash_attn", case)
        arguments = self.attended[-1]
        self.assertEqual(arguments["k"].shape, (2, PAGE, 2, 8))
        self.assertEqual(list(arguments["cu_seqlens_q"].data), [0, 3, 6])
        self.assertEqual(list(arguments["seqused_k"].data), [13, 13])
        expected = content["k_cache"].copy()
        for sequence in range(2):
            for token in range(3):
                expected[sequence, :, 10 + token] = content["k"][sequence * 3 + token]
        np.testing.assert_array_equal(read_operand(case, "k_cache"), expected)
        self.assertTrue((read_operand(case, "out") == 1).all())

    def test_samples_come_from_a_graph_and_from_events(self):
        store = self.sampling.Store(memory_bytes=1e9, llc_bytes=1 << 12)
        prepared = self.sampling.PreparedCase(self.framework, self.kernel("vllm_linear"), gemm_case(), "serving", store)
        answer = prepared.sample(warmups=1, repetitions=3, min_sample_ms=0, max_total_ms=100)
        self.assertEqual(len(answer["latency_ms"]), 3)
        self.assertEqual(self.framework.launch_mode, "graph")
        self.assertGreater(self.torch.replays, 3)

    def test_a_failed_capture_is_said(self):
        self.torch.capture_error = RuntimeError("operation not permitted when stream is capturing")
        store = self.sampling.Store(memory_bytes=1e9, llc_bytes=1 << 12)
        self.sampling.PreparedCase(self.framework, self.kernel("vllm_linear"), gemm_case(), "hot", store)
        self.assertEqual(self.framework.launch_mode, "eager")
        self.assertIn("not permitted", self.framework.launch_note)

    def test_reasons_name_what_is_missing(self):
        self.assertIn("not int8", self.kernel("vllm_linear").why_unsupported(gemm_case(dtype="int8")))
        self.torch.cuda.capability = (8, 0)
        why = self.kernel("vllm_cutlass_scaled_mm").why_unsupported(gemm_case(dtype="fp8", name="fp8"))
        self.assertIn("8.9", why)

    def test_another_release_is_refused(self):
        with mock.patch("importlib.metadata.version", lambda package: "0.9.1"):
            with self.assertRaisesRegex(ImportError, "0.9.1 is installed.*written for 0.32"):
                self.framework.start([])

    def test_a_gpu_that_is_not_there_is_refused(self):
        self.framework.select("cuda:7")
        with self.assertRaisesRegex(ImportError, "torch sees 1 GPUs"):
            self.framework.start([])
        with self.assertRaisesRegex(ValueError, "is no GPU"):
            self.framework.select("0-1")

    def test_the_device_is_the_gpu(self):
        self.assertEqual(self.framework.device([]), {"id": "cuda:0", "name": "Fake GPU", "memory_bytes": 1 << 30,
                                                     "llc_bytes": 1 << 20})


class Sglang(WithFakeTorch):
    module, version = "sglang", "0.5.4"

    def framework_modules(self):
        self.calls = []

        def attend(**arguments):
            self.calls.append(arguments)
            return Tensor(np.full(arguments["q"].shape, 2, np.float16))

        flash = module("sgl_kernel.flash_attn", flash_attn_with_kvcache=attend)
        return {"sgl_kernel": module("sgl_kernel", flash_attn=flash), "sgl_kernel.flash_attn": flash}

    def test_attention_writes_the_cache_and_returns_its_result(self):
        case = attention_case(2, 5, self.folder.name)
        content = write_operands(case)
        self.launch("sglang_flash_attn_with_kvcache", case)
        self.assertEqual(self.calls[-1]["max_seqlen_q"], 2)
        np.testing.assert_array_equal(read_operand(case, "v_cache")[1, :, 6], content["v"][3])
        self.assertTrue((read_operand(case, "out") == 2).all())


class Trtllm(WithFakeTorch):
    module, version = "trtllm", "1.2.0"

    def framework_modules(self):
        self.torch.ops.trtllm = types.SimpleNamespace(
            cublas_mm=lambda a, w, bias, dtype: Tensor((a.data.astype(np.float32) @ w.data.astype(np.float32)).astype(
                np.float16)))
        return {"tensorrt_llm": module("tensorrt_llm")}

    def test_a_product_comes_back(self):
        case = gemm_case(self.folder.name)
        content = write_operands(case)
        self.launch("trtllm_cublas_mm", case)
        expected = content["a"].astype(np.float32) @ content["w"].astype(np.float32).T
        np.testing.assert_allclose(read_operand(case, "d"), expected, atol=0.05)


if __name__ == "__main__":
    unittest.main()
