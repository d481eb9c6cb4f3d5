// The model and the tokenizer in use. Settings of a grid that name the same ones, one after the
// other, share what is loaded; naming others puts the loaded ones away first, for weights are
// large.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "labelprobe/model/language_model.h"
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

 private:
  std::filesystem::path tokenizer_path_;
  std::shared_ptr<const tokenizer::Tokenizer> tokenizer_;
  std::string inspected_;  // path and dtype
  model::ModelInfo info_;
  std::string opened_;  // path and options
  std::unique_ptr<model::LanguageModel> model_;
};

}  // namespace labelprobe::app
