/* The program: finds the command and hands it the arguments. */
int main(void)
{
    return 0;
}
