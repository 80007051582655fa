// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <bit>
#include <string>

#include "perfatlas/estimate/silicon.h"

namespace perfatlas::estimate {
namespace {

constexpr size_t kBlock = 64;

/// One block of SHA-1 (FIPS 180-4, 6.1.2).
void digest_block(const unsigned char* bytes, std::array<uint32_t, 5>& h) {
  std::array<uint32_t, 80> w{};
  for (size_t i = 0; i < 16; ++i)
    w[i] = uint32_t(bytes[4 * i]) << 24 | uint32_t(bytes[4 * i + 1]) << 16 | uint32_t(bytes[4 * i + 2]) << 8 |
           uint32_t(bytes[4 * i + 3]);
  for (size_t i = 16; i < 80; ++i) w[i] = std::rotl(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
  auto [a, b, c, d, e] = h;
  for (size_t i = 0; i < 80; ++i) {
    const uint32_t f = i < 20   ? (b & c) | (~b & d)
                       : i < 40 ? b ^ c ^ d
                       : i < 60 ? (b & c) | (b & d) | (c & d)
                                : b ^ c ^ d;
    static constexpr uint32_t kRounds[] = {0x5A827999, 0x6ED9EBA1, 0x8F1BBCDC, 0xCA62C1D6};
    const uint32_t next = std::rotl(a, 5) + f + e + kRounds[i / 20] + w[i];
    e = d, d = c, c = std::rotl(b, 30), b = a, a = next;
  }
  h[0] += a, h[1] += b, h[2] += c, h[3] += d, h[4] += e;
}

}  // namespace

bool is_development_run(std::string_view id) {
  std::string message(id);
  const uint64_t bits = uint64_t(id.size()) * 8;
  message += char(0x80);
  message.append((kBlock + 56 - message.size() % kBlock) % kBlock, '\0');
  for (int shift = 56; shift >= 0; shift -= 8) message += char(bits >> shift & 0xff);
  std::array<uint32_t, 5> h{0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0};
  for (size_t at = 0; at < message.size(); at += kBlock)
    digest_block(reinterpret_cast<const unsigned char*>(message.data()) + at, h);
  return h[4] % 2 == 0;
}

}  // namespace perfatlas::estimate
