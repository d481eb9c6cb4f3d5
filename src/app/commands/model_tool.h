// What the commands share that run a model over lines of JSON: `generate`, `score` and `guard`.
#pragma once

#include <functional>
#include <iosfwd>
#include <optional>
#include <string>

#include "labelprobe/experiment/workbench.h"
#include "labelprobe/model/profile.h"

#include "app/options/option.h"

namespace labelprobe::app {

// Has a file read, or standard input for "-", with the name that stands in messages. Throws
// DataError if the file cannot be opened.
void read_lines(const std::string& name,
                const std::function<void(std::istream& lines, const std::string& name)>& read);

// The model that was asked for, watched by a profile where there is one. Tells standard error of
// the model and of what is odd about it, and of a packed copy that was written.
model::LanguageModel& open_model(experiment::Workbench& workbench,
                                 const experiment::ModelLoading& loading,
                                 std::optional<model::Profile>& profile);

// Options that these commands call the same.
void declare_model_name(OptionList& options, std::string& name);
void declare_lines_output(OptionList& options, std::string& out);  // see LinesOutput
void declare_profile(OptionList& options, std::string& profile);
//   things  what is computed together: "Prompts"
void declare_batches(OptionList& options,
                     int& batch_size,
                     bool& no_share_prefixes,
                     const std::string& things);

// Tells standard error where the time went, if it was watched.
void tell_profile(std::optional<model::Profile>& profile);

}  // namespace labelprobe::app
