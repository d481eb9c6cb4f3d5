// A run looked at item by item, for people: only the items that are wanted are read. Unlike
// read_run() it takes a run that is not finished, as far as it has come, be it in several shards.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "labelprobe/record/logged_run.h"

namespace labelprobe::record {

class RunView {
 public:
  // Throws as read_run() does, but for an unfinished experiment.
  static RunView open(const std::filesystem::path& folder, std::optional<int> index = std::nullopt);
  ~RunView();
  RunView(RunView&&) noexcept;
  RunView& operator=(RunView&&) noexcept;

  // Without its items.
  const LoggedRun& run() const;

  // "<folder>, experiment 0"; of shards, which have no number yet, the folder.
  std::string title() const;

  // "" of a finished run, else "unfinished" or who is at it.
  const std::string& unfinished() const;
  std::optional<std::size_t> n_wanted() const;  // items of an unfinished run; unset = not known
  std::optional<std::size_t> n_failed() const;  // of the items there; unset = not known
  // "damaged lines (2, 5)" of an unfinished run's journal, whose items are computed again.
  const std::string& damage() const;

  // The log keys of the items, in the order of the file.
  const std::vector<std::string>& keys() const;

  // The item of keys()[place].
  ItemRecord read(std::size_t place) const;

  // What single annotators said of the example: annotator and labels.
  std::vector<std::pair<std::string, std::vector<std::string>>> votes(
      const std::string& example_id) const;

 private:
  struct State;
  explicit RunView(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace labelprobe::record
