// The header keys of a GGUF file that describe its decoder.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "labelprobe/files/gguf.h"

#include "weights/families/decoder_config.h"

namespace labelprobe::weights {

// Throws ModelError.
[[noreturn]] void fail_key(const files::GgufFile& file,
                           const std::string& key,
                           const std::string& expected,
                           const std::string& found);

// Null if the file has none of that name.
const files::GgufTensor* find_tensor(const files::GgufFile& file, std::string_view name);

// The keys of one architecture, e.g. "llama.block_count", which are named here without it. All but
// has() and metadata() throw ModelError (file, key, expected, found).
class GgufKeys {
 public:
  GgufKeys(const files::GgufFile& file, std::string architecture)
      : file_(file), architecture_(std::move(architecture)) {}

  bool has(const std::string& key) const { return file_.has(full(key)); }
  int integer(const std::string& key, std::int64_t low, std::int64_t high) const;
  double positive_number(const std::string& key) const;
  double positive_or(const std::string& key, double otherwise) const;
  std::string string(const std::string& key) const { return file_.string(full(key)); }
  const files::GgufFile::Value& metadata(const std::string& key) const;
  // Some keys hold one number, or one per layer; ours must then be equal.
  int integer_of_all_layers(const std::string& key) const;
  [[noreturn]] void fail(const std::string& key,
                         const std::string& expected,
                         const std::string& found) const;

 private:
  std::string full(const std::string& key) const { return architecture_ + "." + key; }

  const files::GgufFile& file_;
  std::string architecture_;
};

// Windows, rotary embedding, experts, scales and caps. Family and sizes are known.
void read_layers(const files::GgufFile& file, const GgufKeys& keys, DecoderConfig& decoder);

}  // namespace labelprobe::weights
