#include "workbench.h"

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

}  // namespace labelprobe::app
