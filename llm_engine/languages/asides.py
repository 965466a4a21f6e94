"""What English speakers say around a request, and what changes nothing of it. No name is taken for a slip of these."""

ASIDES = """
filler aside: don't understand | do not understand | didn't understand | don't get | don't see why | alone | untouched
    | department | departments | boss | manager | managers | ceo | cto | cfo | colleague | colleagues | developers |
    engineers | researchers | analysts | students | teachers | investors | auditors | shareholders | customers |
    buyers | shoppers | employees | ops | sre | sres | devs | finance | marketing | sales | management | stakeholders
    | organisation | organization | business | company | contract | agreement | meeting | meetings | workshop |
    conference | keynote | webinar | premiere | semester | agreed | promised | promise | promises | told | tell |
    tells | says | said | asked | asks | complain | complains | complained | complaining | complaint | complaints |
    worry | worries | worried | annoyed | concerned | unhappy | frustrated | waiting | wait | waits | hear | heard |
    noticed | reported | saw | seen | seems | seem | looks like | look like | feel | feels | felt | believe | guess |
    suppose | know | remember | understand | realise | realize | insist | insists | contractually | contractual |
    legally | officially | formally | obviously | apparently | honestly | frankly | long story short | in short | in
    other words | to be clear | to be safe | as a rule | by default | as a matter of fact | for the record | for your
    information | for good | for sure | no worries | no problem | sorry | apologies | excuse me | greatly | deeply |
    kindest | sincerely | yours | bye | welcome | nice | nicely | great | awesome | cool | lovely | wonderful |
    perfect | good | friendly | dearest | mate | buddy | sir | madam | ladies | gentlemen | taken
"""
