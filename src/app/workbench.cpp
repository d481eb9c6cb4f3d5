#include "workbench.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <iostream>

namespace labelprobe::app {

std::shared_ptr<const tokenizer::Tokenizer> Workbench::tokenizer(
    const std::filesystem::path& path) {
  if (!tokenizer_ || tokenizer_path_ != path) {
    tokenizer_ = tokenizer::load(path);
    tokenizer_path_ = path;
  }
  return tokenizer_;
}

const model::ModelInfo& Workbench::inspect(const std::filesystem::path& path, model::DType dtype) {
  std::string wanted = path.string() + '\n' + std::string(model::dtype_name(dtype));
  if (inspected_ != wanted) {
    info_ = model::inspect(path, dtype);
    inspected_ = std::move(wanted);
  }
  return info_;
}

Workbench::Opened Workbench::open(const std::filesystem::path& path,
                                  const model::OpenOptions& options) {
  std::string wanted = path.string() + '\n' + std::string(model::dtype_name(options.dtype)) + '\n' +
                       options.device + '\n' + std::to_string(options.n_threads);
  if (model_ && opened_ == wanted) {
    return {*model_, false};
  }
  model_.reset();
  model_ = model::open(path, options);
  opened_ = std::move(wanted);
  return {*model_, true};
}

experiment::EncodedTexts Workbench::encode_sentences(const std::filesystem::path& folder,
                                                     const std::string& device,
                                                     int n_threads,
                                                     std::span<const std::string> texts) {
  if (encoder_path_ != folder) {
    sentence_vectors_.clear();
    encoder_path_ = folder;
  }
  std::vector<const std::string*> unknown;
  std::vector<TokenIds> ids;
  std::shared_ptr<const tokenizer::Tokenizer> tokens;
  for (const std::string& text : texts) {
    if (!sentence_vectors_.try_emplace(text).second) {
      continue;
    }
    if (!tokens) {
      tokens = tokenizer::load(folder);
    }
    unknown.push_back(&text);
    ids.push_back(tokens->encode(text, tokenizer::SpecialTokens::Add));
  }
  if (!unknown.empty()) {
    std::cerr << "encoding " << unknown.size() << " texts with " << folder.string() << std::flush;
    const auto start = std::chrono::steady_clock::now();
    const auto encoder = model::open_sentence_encoder(folder, device, n_threads);
    encoder_info_ = encoder->info();
    const std::vector<float> vectors = encoder->encode(ids);
    for (std::size_t i = 0; i < unknown.size(); ++i) {
      const auto begin = vectors.begin() + static_cast<std::ptrdiff_t>(i) * encoder_info_.n_dims;
      sentence_vectors_[*unknown[i]].assign(begin, begin + encoder_info_.n_dims);
    }
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    std::cerr << ": " << std::max<std::int64_t>(1, std::llround(seconds.count())) << " s on "
              << encoder_info_.device << std::endl;
  }
  experiment::EncodedTexts encoded{encoder_info_.n_dims, {}, encoder_info_.fingerprint};
  for (const std::string& text : texts) {
    const std::vector<float>& vector = sentence_vectors_.at(text);
    encoded.vectors.insert(encoded.vectors.end(), vector.begin(), vector.end());
  }
  return encoded;
}

}  // namespace labelprobe::app
