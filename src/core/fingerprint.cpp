#include "labelprobe/core/fingerprint.h"

#include <cstdio>

#include <xxhash.h>

#include "labelprobe/core/error.h"

namespace labelprobe {

struct Fingerprint::State {
  XXH3_state_t* xxh = XXH3_createState();
  ~State() { XXH3_freeState(xxh); }
};

Fingerprint::Fingerprint() : state_(std::make_unique<State>()) {
  LABELPROBE_CHECK(state_->xxh != nullptr);
  XXH3_128bits_reset(state_->xxh);
}

Fingerprint::~Fingerprint() = default;

void Fingerprint::add(std::span<const std::byte> bytes) {
  XXH3_128bits_update(state_->xxh, bytes.data(), bytes.size());
}

void Fingerprint::add(std::string_view text) {
  unsigned char length[8];
  for (int i = 0; i < 8; ++i) {
    length[i] = static_cast<unsigned char>(static_cast<unsigned long long>(text.size()) >> (8 * i));
  }
  XXH3_128bits_update(state_->xxh, length, sizeof length);
  XXH3_128bits_update(state_->xxh, text.data(), text.size());
}

std::string Fingerprint::hex() const {
  const XXH128_hash_t hash = XXH3_128bits_digest(state_->xxh);
  char digits[33];
  std::snprintf(digits, sizeof digits, "%016llx%016llx",
                static_cast<unsigned long long>(hash.high64),
                static_cast<unsigned long long>(hash.low64));
  return digits;
}

std::string fingerprint(std::string_view text) {
  Fingerprint print;
  print.add(text);
  return print.hex();
}

}  // namespace labelprobe
