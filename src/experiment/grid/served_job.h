// What is different about a job whose model is behind a server.
#pragma once

#include <map>
#include <string>

#include "labelprobe/experiment/job.h"
#include "labelprobe/tokenizer/chat_template.h"

namespace labelprobe::experiment {

// The template that prompts of chats are written in.
tokenizer::ChatTemplate served_chat_template();

// Makes the preparation one of texts: answers are read with bounds, and ids that mean nothing
// outside this process are left out of the records.
void prepare_served(const Job& job, Workbench& workbench, Preparation& preparation);

// See contents_of().
std::map<std::string, std::string> contents_of_served(const PreparedJob& prepared);

// The log names the model as the server does; the address is noted only, for it may change.
void name_served(record::RunRequest& request, const PreparedJob& prepared);

// Tells the workbench's server how this job's prompts are sent.
void ask_served(const PreparedJob& prepared, Workbench& workbench);

}  // namespace labelprobe::experiment
