// tokens.yml of a log folder: what the runs in it have asked of their servers.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "labelprobe/model/language_model.h"

namespace labelprobe::experiment {

class TokenLog {
 public:
  // What a million tokens cost, of prompts and of answers, in any currency.
  using Prices = std::pair<double, double>;

  // Adds to what the file has of this experiment: earlier processes of an interrupted run count
  // too. Throws DataError if there is a file and it cannot be read.
  TokenLog(std::filesystem::path folder, int experiment_index, std::optional<Prices> prices);
  // Writes what is not written yet, as far as it can.
  ~TokenLog();
  TokenLog(const TokenLog&) = delete;
  TokenLog& operator=(const TokenLog&) = delete;

  // The effort of this process so far. The file is written now and then; other experiments' entries
  // stay.
  void note(const model::Effort& effort);

 private:
  void write();

  std::filesystem::path file_;
  std::string key_;  // "experiment_0"
  std::optional<Prices> prices_;
  std::int64_t n_prompt_before_ = 0;
  std::int64_t n_completion_before_ = 0;
  model::Effort effort_;
  std::int64_t written_ms_ = 0;
  bool is_written_ = true;
};

// Makes the entry of an experiment the sum of those that its shards have in folders of their own.
// Nothing is written where none has any.
void sum_token_logs(const std::filesystem::path& folder,
                    int experiment_index,
                    const std::vector<std::filesystem::path>& shards,
                    std::optional<TokenLog::Prices> prices);

}  // namespace labelprobe::experiment
