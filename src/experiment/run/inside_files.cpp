#include "experiment/run/inside_files.h"

#include <utility>
#include <vector>

#include <fmt/format.h>

#include "labelprobe/core/error.h"

namespace labelprobe::experiment {

namespace {

constexpr std::int64_t kNFileGroups = 4;
constexpr const char* kStates = "hidden_states";

void append_rows(record::RowFile& file,
                 const std::string& key,
                 const ExploredAnswer& answer,
                 bool LabelLook::*is_kept,
                 std::vector<float> model::Inside::*numbers) {
  std::vector<std::int64_t> steps;
  std::vector<float> rows;
  for (std::size_t i = 0; i < answer.looks.size(); ++i) {
    if (!(answer.looks[i].*is_kept)) continue;
    steps.push_back(answer.looks[i].step);
    const std::vector<float>& row = answer.seen[i].*numbers;
    rows.insert(rows.end(), row.begin(), row.end());
  }
  file.append(key, steps, rows);
}

}  // namespace

std::vector<record::RowLayout> layouts_of(const InsideSettings& settings,
                                          const model::ModelInfo& info) {
  for (const int layer : settings.hidden_layers) {
    if (layer > info.n_layers) {
      throw ConfigError(
          fmt::format("hidden_states is {}; expected 0 to {}, the model's layers, or -1", layer,
                      info.n_layers));
    }
  }
  std::vector<record::RowLayout> layouts;
  if (!settings.hidden_layers.empty()) {
    record::RowLayout& layout = layouts.emplace_back();
    layout.name = kStates;
    layout.tensor = "states";
    layout.shape = {static_cast<std::int64_t>(settings.hidden_layers.size()), info.hidden_size};
    layout.notes["layer"].assign(settings.hidden_layers.begin(), settings.hidden_layers.end());
    layout.format = "labelprobe hidden states 1";
  }
  if (settings.keeps_head_attention) {
    record::RowLayout& layout = layouts.emplace_back();
    layout.name = "attention";
    layout.tensor = "shares";
    layout.shape = {kNFileGroups, info.n_layers, info.n_heads};
    layout.format = "labelprobe attention 1";
  }
  return layouts;
}

InsideFiles::InsideFiles(const std::filesystem::path& folder,
                         int experiment,
                         const InsideSettings& settings,
                         const model::ModelInfo& info) {
  for (record::RowLayout& layout : layouts_of(settings, info)) {
    auto& file = layout.name == kStates ? states_ : attention_;
    file = std::make_unique<record::RowFile>(folder, experiment, std::move(layout));
    file->take_finished();
  }
}

bool InsideFiles::has(const std::string& key) const {
  return (!states_ || states_->has(key)) && (!attention_ || attention_->has(key));
}

void InsideFiles::append(const std::string& key, const ExploredAnswer& answer) {
  if (states_) {
    append_rows(*states_, key, answer, &LabelLook::keeps_states, &model::Inside::hidden);
  }
  if (attention_) {
    append_rows(*attention_, key, answer, &LabelLook::keeps_attention, &model::Inside::attention);
  }
}

void InsideFiles::finish(std::span<const std::string> keys) {
  for (record::RowFile* file : {states_.get(), attention_.get()}) {
    if (file != nullptr) file->finish(keys);
  }
}

void InsideFiles::forget() {
  for (record::RowFile* file : {states_.get(), attention_.get()}) {
    if (file != nullptr) file->forget();
  }
}

}  // namespace labelprobe::experiment
