// What `labelprobe paper` is asked for.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "labelprobe/experiment/paper.h"

#include "app/options/option.h"

namespace labelprobe::app {

struct PaperFlags {
  std::vector<std::string> models;  // and behind `--` flags of `labelprobe run`
  std::vector<std::string> names;
  std::vector<std::string> tuned;
  std::string out;
  std::vector<std::string> parts;
  std::vector<std::string> sets;
  std::vector<std::string> id_lists;
  std::vector<std::string> scores;
  std::string answer;
  experiment::PaperOptions options;
  std::int64_t seed = 0;
  std::optional<std::int64_t> n_components;
  std::optional<double> seconds;  // that runs may take
  std::optional<std::int64_t> n_report_items;
  bool is_union = false;
  bool is_data_only = false;
  std::string python;
  bool is_dry_run = false;
  bool shows_commands = false;
};

void declare_paper(OptionList& options, PaperFlags& flags);

// Id lists by the set that names one; that of the others by "".
using IdLists = std::map<std::string, std::string>;
IdLists parse_id_lists(const std::vector<std::string>& given);

// "SET/NAME=FILE". Throws ConfigError.
std::vector<experiment::PaperRequest::Scores> parse_scores(const std::vector<std::string>& given);

// Adds what `extract-scores` has left in the logs of Demux, for sets whose BERT row nobody named.
// Where a set has several the published one counts: with the coefficient 0.2 (_1), for MFRC 0 (_0),
// for MSP the third (_2); without one of these none does.
void add_demux_scores(const std::filesystem::path& log_root,
                      std::vector<experiment::PaperRequest::Scores>& scores);

// Throws ConfigError unless lists that go with the models have one element each.
void check_lengths(const PaperFlags& flags);

// What tables and figures call the models: names of files too. Throws ConfigError.
std::vector<std::string> name_models(const PaperFlags& flags);

}  // namespace labelprobe::app
