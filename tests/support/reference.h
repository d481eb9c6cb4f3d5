// Reads what scripts/fixtures/model_reference.py wrote: prompts, greedy continuations and logits.
#pragma once

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "labelprobe/core/token.h"
#include "labelprobe/files/safetensors.h"

namespace labelprobe::support {

struct ReferenceTensor {
  std::vector<std::int64_t> shape;
  std::vector<float> numbers;
};

// The float32 tensors of a safetensors file, by name.
inline std::map<std::string, ReferenceTensor> read_tensors(const std::filesystem::path& path) {
  const auto file = files::SafetensorsFile::open(path, ErrorKind::Data);
  std::map<std::string, ReferenceTensor> tensors;
  for (const files::SafetensorsTensor& stored : file.tensors()) {
    if (stored.type != "F32") throw std::runtime_error(stored.name + " is not float32");
    ReferenceTensor& tensor = tensors[stored.name];
    tensor.shape = stored.shape;
    tensor.numbers.resize(stored.bytes.size() / sizeof(float));
    std::memcpy(tensor.numbers.data(), stored.bytes.data(), stored.bytes.size());
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
