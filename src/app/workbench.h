// The model and the tokenizer in use. Settings of a grid that name the same ones, one after the
// other, share what is loaded; naming others puts the loaded ones away first, for weights are
// large.
#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "labelprobe/experiment/settings.h"
#include "labelprobe/model/language_model.h"
#include "labelprobe/model/sentence_encoder.h"
#include "labelprobe/tokenizer/tokenizer.h"

namespace labelprobe::app {

class Workbench {
 public:
  std::shared_ptr<const tokenizer::Tokenizer> tokenizer(const std::filesystem::path& path);

  // What the headers of the weights say.
  const model::ModelInfo& inspect(const std::filesystem::path& path, model::DType dtype);

  // Loads at the first call; `is_new` tells. Throws as model::open() does.
  struct Opened {
    model::LanguageModel& model;
    bool is_new;
  };
  Opened open(const std::filesystem::path& path, const model::OpenOptions& options);

  // What a sentence encoder makes of texts; those that it has seen here are not computed again.
  // The encoder is loaded for the new ones and put away. Says so on standard error.
  experiment::EncodedTexts encode_sentences(const std::filesystem::path& folder,
                                            const std::string& device,
                                            int n_threads,
                                            std::span<const std::string> texts);

 private:
  std::filesystem::path tokenizer_path_;
  std::shared_ptr<const tokenizer::Tokenizer> tokenizer_;
  std::string inspected_;  // path and dtype
  model::ModelInfo info_;
  std::string opened_;  // path and options
  std::unique_ptr<model::LanguageModel> model_;
  std::filesystem::path encoder_path_;
  model::SentenceEncoderInfo encoder_info_;
  std::unordered_map<std::string, std::vector<float>> sentence_vectors_;  // by text
};

}  // namespace labelprobe::app
