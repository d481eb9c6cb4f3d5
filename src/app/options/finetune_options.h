// The options of `labelprobe finetune`. Sources: the published trainer's flags, and those of
// transformers for what it fixes.
#pragma once

#include <filesystem>
#include <string>

#include "labelprobe/experiment/settings.h"
#include "labelprobe/training/finetune.h"

#include "app/options/run_options.h"

namespace labelprobe::app {

struct FinetuneOptions {
  experiment::Settings texts;
  SentenceEncoderSettings encoder;
  std::string model;
  std::string splitting;
  training::FinetuneSettings training;
  std::filesystem::path output_dir;
  std::filesystem::path log_dir;
  std::filesystem::path merged;     // empty = none
  std::filesystem::path texts_out;  // the same
  int max_new_tokens = 0;
  bool skips_evaluation = false;
  bool is_dry_run = false;
  bool hides_progress = false;
};

void declare_finetune(OptionList& options, FinetuneOptions& finetune);

}  // namespace labelprobe::app
