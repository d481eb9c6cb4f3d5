// The model and the tokenizer in use. Settings of a grid that name the same ones, one after the
// other, share what is loaded; naming others puts the loaded ones away first, for weights are
// large.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "labelprobe/experiment/settings.h"
#include "labelprobe/model/language_model.h"
#include "labelprobe/model/sentence_encoder.h"
#include "labelprobe/tokenizer/tokenizer.h"

#include "app/options/run_options.h"

namespace labelprobe::app {

class Workbench {
 public:
  std::shared_ptr<const tokenizer::Tokenizer> tokenizer(const std::filesystem::path& path);

  // What the headers of the weights say. Throws as model::inspect() does.
  const model::ModelInfo& inspect(const ModelLoading& loading);

  // Settings may share a packed copy, which is written once. Throws ConfigError if it is there from
  // before, or other weights are to go to the same folder.
  void plan_packed_copy(const ModelLoading& loading);

  // Writes the packed copy that was planned, unless there is none to write or this has been done.
  // Says whether it wrote. Throws as model::save_quantized() does.
  bool write_packed_copy(const ModelLoading& loading);

  // Loads at the first call; `is_new` tells. From the packed copy where there is one. Throws as
  // model::open() does.
  struct Opened {
    model::LanguageModel& model;
    bool is_new;
  };
  Opened open(const ModelLoading& loading);

  // What a sentence encoder makes of texts; those that it has seen here are not computed again.
  // The encoder is loaded for the new ones and put away. Says so on standard error.
  experiment::EncodedTexts encode_sentences(const std::filesystem::path& folder,
                                            const std::string& device,
                                            int n_threads,
                                            std::span<const std::string> texts);

 private:
  std::filesystem::path tokenizer_path_;
  std::shared_ptr<const tokenizer::Tokenizer> tokenizer_;
  std::string inspected_;  // path and numerics
  model::ModelInfo info_;
  std::string opened_;  // path and options
  std::unique_ptr<model::LanguageModel> model_;
  struct PackedCopy {
    std::string weights;  // path and numerics
    bool is_written = false;
  };
  std::map<std::filesystem::path, PackedCopy> packed_copies_;  // by their folders
  std::filesystem::path encoder_path_;
  model::SentenceEncoderInfo encoder_info_;
  std::unordered_map<std::string, std::vector<float>> sentence_vectors_;  // by text
};

}  // namespace labelprobe::app
