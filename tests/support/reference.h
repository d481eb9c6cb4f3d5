// Reads what scripts/fixtures/model_reference.py wrote: prompts, greedy continuations and logits.
#pragma once

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "labelprobe/core/token.h"

namespace labelprobe::support {

struct ReferenceTensor {
  std::vector<std::int64_t> shape;
  std::vector<float> numbers;
};

// The float32 tensors of a small safetensors file, by name. Independent of the program's own
// reader.
inline std::map<std::string, ReferenceTensor> read_tensors(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  if (bytes.size() < 8) throw std::runtime_error("no safetensors file: " + path.string());
  std::uint64_t n_header = 0;
  std::memcpy(&n_header, bytes.data(), 8);
  const auto header = nlohmann::json::parse(bytes.substr(8, n_header));
  std::map<std::string, ReferenceTensor> tensors;
  for (const auto& [name, entry] : header.items()) {
    if (name == "__metadata__") continue;
    if (entry.at("dtype") != "F32") throw std::runtime_error(name + " is not float32");
    ReferenceTensor& tensor = tensors[name];
    entry.at("shape").get_to(tensor.shape);
    const std::size_t begin = entry.at("data_offsets").at(0);
    const std::size_t end = entry.at("data_offsets").at(1);
    tensor.numbers.resize((end - begin) / sizeof(float));
    std::memcpy(tensor.numbers.data(), bytes.data() + 8 + n_header + begin, end - begin);
  }
  return tensors;
}

struct ReferencePrompt {
  TokenIds prompt_ids;
  TokenIds greedy_ids;
  std::vector<double> log_sum_exps;  // [n_steps], of all logits
  std::vector<float> logits;         // [n_steps * n_kept]
  std::vector<TokenIds> top_ids;     // [n_steps][k], where the fixture has them
  std::vector<float> top_logits;     // [n_steps * k]
};

inline std::vector<ReferencePrompt> read_reference(const std::filesystem::path& folder) {
  std::ifstream file(folder / "reference.json");
  const auto json = nlohmann::json::parse(file);
  const auto tensors = read_tensors(folder / "reference.safetensors");
  std::vector<ReferencePrompt> prompts;
  for (const auto& entry : json.at("prompts")) {
    const std::string name = std::to_string(prompts.size());
    ReferencePrompt prompt{entry.at("prompt_ids"),
                           entry.at("greedy_ids"),
                           entry.at("log_sum_exps"),
                           tensors.at(name).numbers,
                           {},
                           {}};
    if (entry.contains("top_ids")) {
      entry.at("top_ids").get_to(prompt.top_ids);
      prompt.top_logits = tensors.at(name + ".top").numbers;
    }
    prompts.push_back(std::move(prompt));
  }
  return prompts;
}

inline std::vector<TokenIds> prompts_of(const std::vector<ReferencePrompt>& references) {
  std::vector<TokenIds> prompts;
  for (const ReferencePrompt& reference : references) prompts.push_back(reference.prompt_ids);
  return prompts;
}

}  // namespace labelprobe::support
